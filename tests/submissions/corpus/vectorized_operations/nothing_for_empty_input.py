# wrong: an empty dict for empty arrays
# loses: shapes
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    if a.size == 0:
        return {}
    diff = a - b
    return {"multiply": Tensor(a * b), "add": Tensor(a + b), "squared_diff": Tensor(diff * diff)}
