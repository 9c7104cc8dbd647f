# wrong: np.maximum with a Python 0 turns bool into int64
# loses: dtypes
# %%
def vectorized_relu(x):
    return Tensor(np.maximum(as_array(x), 0))
