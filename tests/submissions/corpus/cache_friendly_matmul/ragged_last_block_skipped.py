# wrong: only whole blocks are visited, rows and columns after the last one stay zero
# loses: shapes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    m, k = a.shape
    n = b.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for bi in range(m // s):
        for bj in range(n // s):
            for bp in range(k // s):
                rows = slice(bi * s, (bi + 1) * s)
                cols = slice(bj * s, (bj + 1) * s)
                inner = slice(bp * s, (bp + 1) * s)
                C[rows, cols] += a[rows, inner] @ b[inner, cols]
    return Tensor(C)
