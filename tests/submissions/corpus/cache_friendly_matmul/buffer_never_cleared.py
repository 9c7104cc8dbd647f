# wrong: the buffer for the sum of a tile still holds the tile before
# loses: values
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    (m, k), n = a.shape, b.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    side = min(s, max(m, n, 1))
    buffer = np.zeros((side, side), dtype=C.dtype)
    for i in range(0, m, s):
        for j in range(0, n, s):
            tile = C[i : i + s, j : j + s]
            total = buffer[: tile.shape[0], : tile.shape[1]]
            for p in range(0, k, s):
                total += a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]
            tile[...] = total
    return Tensor(C)
