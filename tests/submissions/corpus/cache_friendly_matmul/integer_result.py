# wrong: the result is an integer matrix, so every tile is cut off behind the point
# loses: values, dtypes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    rows, inner = a.shape
    cols = b.shape[1]
    C = np.zeros((rows, cols), dtype=int)
    for r in range(0, rows, s):
        for c in range(0, cols, s):
            for p in range(0, inner, s):
                tile = a[r : r + s, p : p + s] @ b[p : p + s, c : c + s]
                C[r : r + s, c : c + s] += tile.astype(int)
    return Tensor(C)
