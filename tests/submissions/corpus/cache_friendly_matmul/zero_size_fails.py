# wrong: a step as long as a side that is zero stops range
# loses: shapes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    m, k = a.shape
    n = b.shape[1]
    sm, sk, sn = min(s, m), min(s, k), min(s, n)  # blocks are never larger than the matrix
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(0, m, sm):
        for j in range(0, n, sn):
            for p in range(0, k, sk):
                C[i : i + sm, j : j + sn] += a[i : i + sm, p : p + sk] @ b[p : p + sk, j : j + sn]
    return Tensor(C)
