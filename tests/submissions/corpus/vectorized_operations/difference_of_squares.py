# wrong: squares first and subtracts then
# loses: visible, values
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    return {
        "multiply": Tensor(a * b),
        "add": Tensor(a + b),
        "squared_diff": Tensor(a**2 - b**2),
    }
