# wrong: takes the number of rows for all three sizes
# loses: shapes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    n = len(a)
    C = np.zeros((n, n), dtype=np.result_type(a, b))
    for i in range(0, n, s):
        for j in range(0, n, s):
            for k in range(0, n, s):
                C[i : i + s, j : j + s] += a[i : i + s, k : k + s] @ b[k : k + s, j : j + s]
    return Tensor(C)
