# wrong: out= writes into the caller's array
# loses: dtypes
# %%
def vectorized_relu(x):
    values = as_array(x)
    zero = values.dtype.type(0)
    np.maximum(values, zero, out=values)
    return Tensor(values.copy())
