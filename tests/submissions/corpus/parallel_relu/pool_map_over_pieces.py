# right: pool.map over the pieces of the flat array, joined again
# %%
def relu_of(piece):
    return np.maximum(piece, piece.dtype.type(0))

# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    workers = min(workers, max(values.size, 1))
    pieces = np.array_split(values.ravel(), workers)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        parts = list(pool.map(relu_of, pieces))
    return Tensor(np.concatenate(parts).reshape(values.shape))
