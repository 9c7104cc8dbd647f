# wrong: num_workers is ignored, eight threads always
# loses: mechanism
# %%
def relu_piece(piece):
    return np.maximum(piece, piece.dtype.type(0))


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    positive_int("num_workers", num_workers)
    pieces = np.array_split(values.ravel(), 8)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(relu_piece, pieces))
    return Tensor(np.concatenate(done).reshape(values.shape))
