# wrong: one pool of four threads for all calls, num_workers only says how many pieces there are
# loses: mechanism
# %%
SHARED_POOL = ThreadPoolExecutor(4)


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    pieces = max(positive_int("num_workers", num_workers), 4)
    zero = values.dtype.type(0)
    parts = SHARED_POOL.map(lambda p: np.maximum(p, zero), np.array_split(values.ravel(), pieces))
    return Tensor(np.concatenate(list(parts)).reshape(values.shape))
