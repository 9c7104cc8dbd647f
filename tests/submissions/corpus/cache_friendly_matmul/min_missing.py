# wrong: the scalar loops run to the end of a whole block, beyond the edge of the matrix
# loses: shapes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    bs = positive_int("block_size", block_size)
    m, k = a.shape
    n = b.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for ii in range(0, m, bs):
        for jj in range(0, n, bs):
            for kk in range(0, k, bs):
                for i in range(ii, ii + bs):
                    for j in range(jj, jj + bs):
                        C[i, j] += np.dot(a[i, kk : kk + bs], b[kk : kk + bs, j])
    return Tensor(C)
