# wrong: the futures are taken from the end of the list, so the pieces are joined backwards
# loses: visible, values
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    zero = values.dtype.type(0)
    parts = []
    with ThreadPoolExecutor(workers) as pool:
        pending = [pool.submit(np.maximum, p, zero) for p in np.array_split(values.ravel(), workers)]
        while pending:
            parts.append(pending.pop().result())
    return Tensor(np.concatenate(parts).reshape(values.shape))
