# wrong: the shortcut for small arrays comes before the check of num_workers
# loses: errors
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    if values.size < 10_000:
        return vectorized_relu(values)  # threads do not pay here
    workers = positive_int("num_workers", num_workers)
    zero = values.dtype.type(0)
    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(lambda p: np.maximum(p, zero), np.array_split(values.ravel(), workers)))
    return Tensor(np.concatenate(done).reshape(values.shape))
