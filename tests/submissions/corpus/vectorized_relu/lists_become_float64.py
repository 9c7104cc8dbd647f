# wrong: np.asarray makes float64 of Python numbers, a Tensor would be float32
# loses: dtypes
# %%
def vectorized_relu(x):
    values = x.data if isinstance(x, Tensor) else np.asarray(x)
    return Tensor(np.maximum(values, values.dtype.type(0)))
