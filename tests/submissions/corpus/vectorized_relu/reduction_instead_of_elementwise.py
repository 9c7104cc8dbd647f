# wrong: np.max(x, 0) is the maximum along axis 0, not max(x, 0)
# loses: visible, values
# %%
def vectorized_relu(x):
    values = as_array(x)
    return Tensor(np.asarray(np.max(values, 0)))
