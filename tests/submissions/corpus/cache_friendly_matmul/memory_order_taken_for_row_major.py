# wrong: flattens A in the order of its memory and reads it as if it were row-major
# loses: shapes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    (m, k), n = a.shape, b.shape[1]
    a = a.ravel(order="K").reshape(m, k)  # contiguous, so that the cache likes it
    C = np.zeros((m, n), dtype=np.result_type(a, b))
    for i in range(0, m, s):
        for j in range(0, n, s):
            for p in range(0, k, s):
                C[i : i + s, j : j + s] += a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]
    return Tensor(C)
