# wrong: the result is an ndarray
# loses: visible
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    zero = values.dtype.type(0)
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(lambda p: np.maximum(p, zero), np.array_split(values.ravel(), workers)))
    return np.concatenate(parts).reshape(values.shape)
