# wrong: np.fmax prefers the number to the NaN
# loses: values
# %%
def vectorized_relu(x):
    v = as_array(x)
    return Tensor(np.fmax(v, v.dtype.type(0)))
