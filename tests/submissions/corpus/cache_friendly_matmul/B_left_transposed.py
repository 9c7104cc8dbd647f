# wrong: a Tensor B is turned over in place for contiguous columns, and left so
# loses: dtypes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    (m, k), n = a.shape, b.shape[1]
    bt = np.ascontiguousarray(b.T)
    if isinstance(B, Tensor):
        B.data = bt
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(0, m, s):
        for j in range(0, n, s):
            for p in range(0, k, s):
                C[i : i + s, j : j + s] += a[i : i + s, p : p + s] @ bt[j : j + s, p : p + s].T
    return Tensor(C)
