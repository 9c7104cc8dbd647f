# wrong: np.maximum with a Python 0 turns bool into int64
# loses: dtypes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        parts = pool.map(lambda part: np.maximum(part, 0), np.array_split(values.ravel(), workers))
    return Tensor(np.concatenate(list(parts)).reshape(values.shape))
