# wrong: flattens each array in its own memory order
# loses: shapes
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    shape = a.shape
    a, b = a.ravel("K"), b.ravel("K")
    diff = a - b
    return {
        "multiply": Tensor((a * b).reshape(shape)),
        "add": Tensor((a + b).reshape(shape)),
        "squared_diff": Tensor((diff * diff).reshape(shape)),
    }
