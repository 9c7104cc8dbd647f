# wrong: with more workers than elements every share is empty, and the result is zero
# loses: shapes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    flat = values.ravel()
    out = np.zeros_like(flat)
    share = flat.size // workers
    starts = [w * share for w in range(workers)]
    ends = starts[1:] + [flat.size if share else 0]

    def work(lo, hi):
        out[lo:hi] = np.maximum(flat[lo:hi], flat.dtype.type(0))

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, starts, ends))
    return Tensor(out.reshape(values.shape))
