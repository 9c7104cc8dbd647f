# wrong: the output is made by np.zeros without a dtype
# loses: visible, dtypes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    flat = values.ravel()
    out = np.zeros(flat.size)

    def work(source, target):
        np.maximum(source, source.dtype.type(0), out=target)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, np.array_split(flat, workers), np.array_split(out, workers)))
    return Tensor(out.reshape(values.shape))
