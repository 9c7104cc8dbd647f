# wrong: the keys are called otherwise than in the docstring
# loses: visible
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    return {
        "multiplication": Tensor(a * b),
        "addition": Tensor(a + b),
        "squared_difference": Tensor((a - b) ** 2),
    }
