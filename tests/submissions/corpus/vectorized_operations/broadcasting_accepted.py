# wrong: the shapes are never compared, so NumPy broadcasts
# loses: errors
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    diff = np.not_equal(a, b) if a.dtype == b.dtype == bool else a - b
    return {"multiply": Tensor(a * b), "add": Tensor(a + b), "squared_diff": Tensor(diff * diff)}
