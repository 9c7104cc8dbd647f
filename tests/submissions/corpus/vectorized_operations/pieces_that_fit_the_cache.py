# right: works through large arrays in pieces of 16,384 elements, handed out by a generator
# %%
PIECE = 16_384


def pieces(*arrays):
    for start in range(0, arrays[0].size, PIECE):
        yield tuple(array[start : start + PIECE] for array in arrays)

# %%
def vectorized_operations(x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"x has shape {a.shape} but y has shape {b.shape}")
    dtype = np.result_type(a, b)
    minus = np.not_equal if dtype == bool else np.subtract
    outs = [np.empty(a.size, dtype=dtype) for _ in range(3)]
    for p, q, product, total, square in pieces(a.reshape(-1), b.reshape(-1), *outs):
        np.multiply(p, q, out=product)
        np.add(p, q, out=total)
        minus(p, q, out=square)
        square *= square
    keys = ["multiply", "add", "squared_diff"]
    return {key: Tensor(out.reshape(a.shape)) for key, out in zip(keys, outs)}
