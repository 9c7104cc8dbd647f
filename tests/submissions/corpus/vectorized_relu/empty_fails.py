# wrong: a shortcut asks for the smallest entry, which an empty array does not have
# loses: shapes
# %%
def vectorized_relu(x):
    values = as_array(x)
    if np.min(values) >= 0:
        return Tensor(values.copy())  # nothing to do
    return Tensor(np.maximum(values, values.dtype.type(0)))
