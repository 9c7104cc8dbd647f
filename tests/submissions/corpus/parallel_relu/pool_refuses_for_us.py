# wrong: a bad num_workers is left to the pool, whose message does not say what was received
# loses: errors
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    zero = values.dtype.type(0)
    with ThreadPoolExecutor(num_workers) as pool:
        pieces = np.array_split(values.ravel(), num_workers)
        done = list(pool.map(lambda p: np.maximum(p, zero), pieces))
    return Tensor(np.concatenate(done).reshape(values.shape))
