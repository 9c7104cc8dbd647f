# wrong: unpacks two dimensions, so other numbers of dimensions fail
# loses: shapes
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    rows, columns = a.shape
    out = {}
    for name in ("multiply", "add", "squared_diff"):
        out[name] = np.zeros((rows, columns), dtype=np.result_type(a, b))
    np.multiply(a, b, out=out["multiply"])
    np.add(a, b, out=out["add"])
    np.square(a - b, out=out["squared_diff"])
    return {name: Tensor(array) for name, array in out.items()}
