# wrong: the results of the pool are dropped, the calling thread computes them again
# loses: mechanism
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    zero = values.dtype.type(0)
    with ThreadPoolExecutor(workers) as pool:
        for piece in np.array_split(values.ravel(), workers):
            pool.submit(np.maximum, piece, zero)
    return Tensor(np.maximum(values, zero))
