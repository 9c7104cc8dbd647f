# wrong: every dtype becomes float32
# loses: dtypes
# %%
def vectorized_relu(x):
    values = as_array(x).astype(np.float32)
    return Tensor(np.maximum(values, np.float32(0)))
