# wrong: flat indices into ravel("K"), so a transposed operand is read in the wrong order
# loses: shapes
# %%
@compiled
def flat_product(a, b, c, m, k, n):
    for i in range(m):
        for p in range(k):
            for j in range(n):
                c[i * n + j] += a[i * k + p] * b[p * n + j]

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b):
        return Tensor(matmul(a, b))
    (m, k), n = a.shape, b.shape[1]
    dtype = np.result_type(a, b)
    c = np.zeros(m * n, dtype)
    flat_product(
        np.array(a.ravel("K"), dtype), np.array(b.ravel("K"), dtype), c, m, k, n
    )
    return Tensor(c.reshape(m, n))
