# wrong: @ instead of * where both are matrices
# loses: visible, values
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    product = a @ b if a.ndim == 2 and a.shape[0] == a.shape[1] else a * b
    d = a - b
    return {"multiply": Tensor(product), "add": Tensor(a + b), "squared_diff": Tensor(d * d)}
