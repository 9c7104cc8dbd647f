# wrong: the loop over columns ends one block early when the last one is not whole
# loses: shapes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    T = positive_int("block_size", block_size)
    m, k = a.shape
    k, n = b.shape
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    ii = 0
    while ii < m:
        jj = 0
        while jj + T <= n:
            kk = 0
            while kk < k:
                C[ii : ii + T, jj : jj + T] += a[ii : ii + T, kk : kk + T] @ b[kk : kk + T, jj : jj + T]
                kk += T
            jj += T
        ii += T
    return Tensor(C)
