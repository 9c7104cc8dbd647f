# wrong: a vector is silently made a matrix of one row or one column
# loses: errors
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = as_array(A), as_array(B)
    if a.ndim == 1:
        a = a.reshape(1, -1)
    if b.ndim == 1:
        b = b.reshape(-1, 1)
    a, b = matmul_operands(a, b)
    s = positive_int("block_size", block_size)
    (m, k), n = a.shape, b.shape[1]
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(0, m, s):
        for p in range(0, k, s):
            for j in range(0, n, s):
                C[i : i + s, j : j + s] += a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]
    return Tensor(C)
