# wrong: only squared_diff is still a comprehension over the elements
# loses: mechanism
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    diff = np.asarray(a - b)
    squares = np.array([d * d for d in diff.flat], dtype=diff.dtype).reshape(diff.shape)
    return {"multiply": Tensor(a * b), "add": Tensor(a + b), "squared_diff": Tensor(squares)}
