# wrong: num_workers threads and the calling thread as one more
# loses: mechanism
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    flat = values.ravel()
    zero = flat.dtype.type(0)
    out = np.empty_like(flat)
    sources = np.array_split(flat, workers + 1)
    targets = np.array_split(out, workers + 1)
    with ThreadPoolExecutor(workers) as pool:
        futures_ = [
            pool.submit(np.maximum, s, zero, out=t) for s, t in zip(sources[1:], targets[1:])
        ]
        np.maximum(sources[0], zero, out=targets[0])  # my own share
        for f in futures_:
            f.result()
    return Tensor(out.reshape(values.shape))
