# wrong: np.where in the workers turns NaN into zero
# loses: values
# %%
def relu_worker(part):
    return np.where(part > 0, part, part.dtype.type(0))


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        parts = pool.map(relu_worker, np.array_split(values.ravel(), workers))
    return Tensor(np.concatenate(list(parts)).reshape(values.shape))
