# wrong: np.vectorize calls a Python function for every element
# loses: mechanism
# %%
def vectorized_relu(x):
    values = as_array(x)
    zero = values.dtype.type(0)

    def relu(v):
        return zero if v < 0 else v

    fast = np.vectorize(relu, otypes=[values.dtype])
    return Tensor(np.asarray(fast(values)))
