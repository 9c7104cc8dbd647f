# wrong: every thread computes the whole array, nothing is shared
# loses: mechanism
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    out = np.empty(values.shape, dtype=values.dtype)
    zero = values.dtype.type(0)

    def work(worker_id):
        np.maximum(values, zero, out=out)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return Tensor(out)
