# wrong: x becomes float32 first, whatever it was
# loses: dtypes
# %%
def parallel_relu(x, num_workers=4):
    values = np.asarray(as_array(x), dtype=np.float32)
    workers = positive_int("num_workers", num_workers)
    pieces = np.array_split(values.ravel(), workers)
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(lambda piece: np.maximum(piece, np.float32(0)), pieces))
    return Tensor(np.concatenate(parts).reshape(values.shape))
