# right: three loops over tile slices, with @
# %%
def cache_friendly_matmul(A, B, block_size=32):
    """Blocked matrix multiplication."""
    a, b = matmul_operands(A, B)
    bs = positive_int("block_size", block_size)
    m, k = a.shape
    _, n = b.shape
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i0 in range(0, m, bs):
        i1 = min(i0 + bs, m)
        for j0 in range(0, n, bs):
            j1 = min(j0 + bs, n)
            for p0 in range(0, k, bs):
                p1 = min(p0 + bs, k)
                C[i0:i1, j0:j1] += a[i0:i1, p0:p1] @ b[p0:p1, j0:j1]
    return Tensor(C)
