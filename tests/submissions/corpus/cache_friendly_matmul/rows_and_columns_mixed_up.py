# wrong: the loop over the columns of C ends at the number of its rows
# loses: shapes
# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    rows, inner = a.shape
    columns = b.shape[1]
    C = np.zeros((rows, columns), dtype=np.result_type(a, b))
    for i in range(0, rows, s):
        for j in range(0, rows, s):
            for p in range(0, inner, s):
                C[i : i + s, j : j + s] += a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]
    return Tensor(C)
