# wrong: x*x - 2xy + y*y cancels, and loses most digits where x and y are close
# loses: dtypes
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    product = a * b
    squared = a * a - product - product + b * b
    return {"multiply": Tensor(product), "add": Tensor(a + b), "squared_diff": Tensor(squared)}
