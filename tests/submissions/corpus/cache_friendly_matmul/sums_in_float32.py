# wrong: the sums are kept in float32 and cast to the right dtype at the end
# loses: dtypes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    (m, k), n = a.shape, b.shape[1]
    sums = np.zeros((m, n), dtype=np.float32)
    for i in range(0, m, s):
        for j in range(0, n, s):
            for p in range(0, k, s):
                tile = a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]
                sums[i : i + s, j : j + s] += tile.astype(np.float32)
    return Tensor(sums.astype(np.result_type(a, b)))
