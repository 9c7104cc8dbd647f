# wrong: equal shares by whole division, the rest at the end stays zero
# loses: values
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    flat = values.ravel()
    zero = flat.dtype.type(0)
    if flat.size < workers:
        return Tensor(np.maximum(values, zero))
    out = np.zeros_like(flat)
    share = flat.size // workers

    def work(w):
        part = slice(w * share, (w + 1) * share)
        out[part] = np.maximum(flat[part], zero)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return Tensor(out.reshape(values.shape))
