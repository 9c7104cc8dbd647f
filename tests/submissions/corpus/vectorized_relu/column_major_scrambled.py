# wrong: flattens in memory order and restores the shape in row-major order
# loses: shapes
# %%
def vectorized_relu(x):
    values = as_array(x)
    flat = values.ravel(order="K")
    flat = np.maximum(flat, flat.dtype.type(0))
    return Tensor(flat.reshape(values.shape))
