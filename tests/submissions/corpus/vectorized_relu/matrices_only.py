# wrong: unpacks two dimensions, so vectors, scalars and 3-D arrays fail
# loses: shapes
# %%
def vectorized_relu(x):
    values = as_array(x)
    rows, columns = values.shape
    result = np.zeros((rows, columns), dtype=values.dtype)
    np.maximum(values, values.dtype.type(0), out=result)
    return Tensor(result)
