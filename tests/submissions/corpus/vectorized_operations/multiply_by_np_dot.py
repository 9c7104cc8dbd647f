# wrong: np.dot for the product, which sums
# loses: visible, values
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    product = np.asarray(np.dot(a, b))
    d = a - b
    return {"multiply": Tensor(product), "add": Tensor(a + b), "squared_diff": Tensor(d * d)}
