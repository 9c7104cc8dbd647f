# wrong: with more workers than elements the step of range is zero, which is an error
# loses: shapes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    flat = values.ravel()
    share = flat.size // workers
    parts = [flat[i : i + share] for i in range(0, flat.size, share)]
    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(lambda p: np.maximum(p, p.dtype.type(0)), parts))
    return Tensor(np.concatenate(done).reshape(values.shape))
