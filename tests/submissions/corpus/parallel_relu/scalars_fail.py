# wrong: a 0-d array cannot be split along its first axis
# loses: shapes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(vectorized_relu, np.array_split(values, workers, axis=0)))
    return Tensor(np.concatenate([p.data for p in parts], axis=0))
