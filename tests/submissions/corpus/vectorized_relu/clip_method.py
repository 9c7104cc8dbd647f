# right: clip without an upper bound
# %%
def vectorized_relu(x):
    values = as_array(x)
    if values.dtype == bool:
        return Tensor(values.copy())  # False is 0 and True is 1
    return Tensor(np.asarray(values.clip(min=values.dtype.type(0))))
