# right: packs the two tiles into small buffers first, own checks, helpers after their use
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = as_array(A), as_array(B)
    check_inputs(a, b, block_size)
    m, k, n = a.shape[0], a.shape[1], b.shape[1]
    s = min(int(block_size), max(m, k, n, 1))
    dtype = np.result_type(a, b)
    C = np.zeros((m, n), dtype=dtype)
    for i in range(0, m, s):
        for j in range(0, n, s):
            total = np.zeros_like(C[i : i + s, j : j + s])
            for p in range(0, k, s):
                tile_a = packed(a, i, p, s)
                tile_b = packed(b, p, j, s)
                total += np.dot(tile_a, tile_b)
            C[i : i + s, j : j + s] = total
    return Tensor(C)

# %%
def packed(matrix, row, column, s):
    return np.ascontiguousarray(matrix[row : row + s, column : column + s])


def check_inputs(a, b, block_size):
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"expected matrices, got shapes {a.shape} and {b.shape}")
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"shapes {a.shape} and {b.shape} cannot be multiplied")
    if isinstance(block_size, bool) or not isinstance(block_size, (int, float, np.number)):
        raise TypeError(f"block_size must be a number, got {block_size!r}")
    if block_size < 1 or block_size != int(block_size):
        raise ValueError(f"block_size must be a whole number >= 1, got {block_size}")
