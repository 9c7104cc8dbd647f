# wrong: np.zeros without a dtype is float64, and so is the result
# loses: visible, dtypes
# %%
def vectorized_relu(x):
    data = as_array(x)
    zeros = np.zeros(data.shape)
    return Tensor(np.asarray(np.maximum(data, zeros)))
