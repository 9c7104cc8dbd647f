# wrong: the shape is lost
# loses: shapes
# %%
def vectorized_relu(x):
    flat = as_array(x).ravel()
    return Tensor(np.maximum(flat, flat.dtype.type(0)))
