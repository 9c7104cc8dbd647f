# wrong: the threads write into the pieces of x itself
# loses: dtypes
# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    if values.ndim == 0:
        return vectorized_relu(x)

    def clear(piece):
        piece[piece < 0] = 0

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(clear, np.array_split(values, workers)))
    return Tensor(values.copy())
