# right: einsum for the products, prints
# %%
def vectorized_operations(x, y):
    a = as_array(x)
    b = as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shape {a.shape} of x is not shape {b.shape} of y")
    dtype = np.result_type(a, b)
    minus = np.logical_xor if dtype == bool else np.subtract
    difference = minus(a, b)
    print("elements:", a.size)
    product = np.einsum("...,...->...", a, b)
    squared = np.einsum("...,...->...", difference, difference)
    total = a + b
    return dict(
        multiply=Tensor(np.asarray(product)),
        add=Tensor(np.asarray(total)),
        squared_diff=Tensor(np.asarray(squared)),
    )
