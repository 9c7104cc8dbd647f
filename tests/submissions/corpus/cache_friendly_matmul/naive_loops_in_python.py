# wrong: three loops over the elements, block_size is checked and never used
# loses: mechanism
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    positive_int("block_size", block_size)
    m, k = a.shape
    n = b.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(m):
        for j in range(n):
            total = C.dtype.type(0)
            for p in range(k):
                total += a[i, p] * b[p, j]
            C[i, j] = total
    return Tensor(C)
