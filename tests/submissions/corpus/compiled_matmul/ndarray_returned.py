# wrong: the result is an ndarray
# loses: visible
# %%
@compiled
def mm(a, b, c):
    for i in range(a.shape[0]):
        for p in range(a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, p] * b[p, j]

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b):
        return matmul(a, b)
    dtype = np.result_type(a, b)
    a, b = np.array(a, dtype, order="C"), np.array(b, dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    mm(a, b, c)
    return c
