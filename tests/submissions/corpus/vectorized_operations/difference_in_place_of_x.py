# wrong: the difference is written into x, to save an array
# loses: dtypes
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    product, total = a * b, a + b
    if a.dtype == np.result_type(a, b):
        a -= b
        difference = a
    else:
        difference = a - b
    return {
        "multiply": Tensor(product),
        "add": Tensor(total),
        "squared_diff": Tensor(difference * difference),
    }
