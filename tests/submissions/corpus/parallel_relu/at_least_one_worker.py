# wrong: zero and negative numbers of workers silently become one
# loses: errors
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = max(1, num_workers)
    zero = values.dtype.type(0)
    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(lambda p: np.maximum(p, zero), np.array_split(values.ravel(), workers)))
    return Tensor(np.concatenate(done).reshape(values.shape))
