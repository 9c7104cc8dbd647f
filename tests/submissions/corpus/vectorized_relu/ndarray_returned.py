# wrong: the result is an ndarray
# loses: visible
# %%
def vectorized_relu(x):
    array = as_array(x)
    return np.maximum(array, array.dtype.type(0))
