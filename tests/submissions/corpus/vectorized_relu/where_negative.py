# right: np.where asks for the negative entries, so NaN is kept
# %%
def vectorized_relu(x):
    v = as_array(x)
    zeros = np.zeros_like(v)
    return Tensor(np.where(v < zeros, zeros, v))
