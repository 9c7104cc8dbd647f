# wrong: writes into a flat copy of a column-major result, where nobody looks
# loses: shapes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    out = np.zeros_like(values)
    flat_in, flat_out = values.reshape(-1), out.reshape(-1)

    def work(w):
        mine = slice(w * flat_in.size // workers, (w + 1) * flat_in.size // workers)
        np.maximum(flat_in[mine], flat_in.dtype.type(0), out=flat_out[mine])

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return Tensor(out)
