# wrong: all results share one buffer, which holds the last of them
# loses: visible, values
# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    buffer = np.empty(a.shape, dtype=np.result_type(a, b))
    results = {}
    results["multiply"] = Tensor(np.multiply(a, b, out=buffer))
    results["add"] = Tensor(np.add(a, b, out=buffer))
    np.subtract(a, b, out=buffer)
    results["squared_diff"] = Tensor(np.multiply(buffer, buffer, out=buffer))
    return results
