# wrong: the results have the dtype of x, whatever y is
# loses: dtypes
# %%
def vectorized_operations(x, y):
    a = as_array(x)
    b = as_array(y).astype(a.dtype)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    diff = np.not_equal(a, b) if a.dtype == bool else a - b
    return {"multiply": Tensor(a * b), "add": Tensor(a + b), "squared_diff": Tensor(diff * diff)}
