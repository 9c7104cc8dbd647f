# wrong: three Tensors without their keys
# loses: visible
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    return Tensor(a * b), Tensor(a + b), Tensor((a - b) ** 2)
