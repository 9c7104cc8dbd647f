# wrong: flattens in the order of memory, puts the result together in row-major order
# loses: shapes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    n = positive_int("num_workers", num_workers)
    flat = values.ravel(order="K")  # no copy
    zero = flat.dtype.type(0)
    with ThreadPoolExecutor(n) as pool:
        chunks = list(pool.map(lambda c: np.maximum(c, zero), np.array_split(flat, n)))
    return Tensor(np.concatenate(chunks).reshape(values.shape))
