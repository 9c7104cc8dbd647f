# wrong: the dict holds ndarrays
# loses: visible
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    return {"multiply": a * b, "add": a + b, "squared_diff": (a - b) ** 2}
