# wrong: small blocks are slow, so it never takes less than 16
# loses: mechanism
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = max(positive_int("block_size", block_size), 16)
    (m, k), n = a.shape, b.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(0, m, s):
        for p in range(0, k, s):
            for j in range(0, n, s):
                C[i : i + s, j : j + s] += a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]
    return Tensor(C)
