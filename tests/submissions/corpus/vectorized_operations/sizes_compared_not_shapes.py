# wrong: compares the number of elements, so (6,) and (6, 1) are broadcast
# loses: errors
# %%
def vectorized_operations(x, y):
    a = as_array(x)
    b = as_array(y)
    if a.size != b.size:
        raise ValueError(f"different sizes: {a.shape} and {b.shape}")
    results = {}
    results["multiply"] = Tensor(a * b)
    results["add"] = Tensor(a + b)
    results["squared_diff"] = Tensor((a - b) ** 2)
    return results
