# wrong: float64 and integers become float32
# loses: dtypes
# %%
def vectorized_operations(x, y):
    a = as_array(x).astype(np.float32)
    b = as_array(y).astype(np.float32)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    return {
        "multiply": Tensor(a * b),
        "add": Tensor(a + b),
        "squared_diff": Tensor((a - b) ** 2),
    }
