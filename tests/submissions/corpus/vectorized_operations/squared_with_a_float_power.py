# wrong: np.power with 2.0 turns integers into float64
# loses: dtypes
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    return {
        "multiply": Tensor(np.multiply(a, b)),
        "add": Tensor(np.add(a, b)),
        "squared_diff": Tensor(np.power(np.subtract(a, b), 2.0)),
    }
