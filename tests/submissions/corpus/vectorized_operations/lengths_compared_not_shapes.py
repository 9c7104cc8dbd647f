# wrong: compares the first axis only
# loses: errors
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape[:1] != b.shape[:1]:
        raise ValueError(f"x has shape {a.shape}, y has shape {b.shape}")
    d = a - b
    return dict(multiply=Tensor(a * b), add=Tensor(a + b), squared_diff=Tensor(d * d))
