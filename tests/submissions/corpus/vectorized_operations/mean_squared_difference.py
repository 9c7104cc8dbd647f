# wrong: squared_diff is averaged to one number
# loses: visible, values
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    mse = np.sum((a - b) ** 2) / max(a.size, 1)
    return {
        "multiply": Tensor(a * b),
        "add": Tensor(a + b),
        "squared_diff": Tensor(np.asarray(mse)),
    }
