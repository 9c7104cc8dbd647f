# wrong: asks for the result right after each submit, so that the pieces run one after the other
# loses: mechanism
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    zero = values.dtype.type(0)
    results = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for piece in np.array_split(values.ravel(), workers):
            future = pool.submit(np.maximum, piece, zero)
            results.append(future.result())
    return Tensor(np.concatenate(results).reshape(values.shape))
