# wrong: the result has the dtype of A, whatever B is
# loses: dtypes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    (m, k), n = a.shape, b.shape[1]
    C = np.zeros((m, n), dtype=a.dtype)
    for i in range(0, m, s):
        for j in range(0, n, s):
            for p in range(0, k, s):
                product = a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]
                C[i : i + s, j : j + s] += product.astype(a.dtype)
    return Tensor(C)
