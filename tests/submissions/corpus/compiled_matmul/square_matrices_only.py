# wrong: one n for all three sizes
# loses: visible, shapes
# %%
@compiled
def square(a, b, c):
    n = min(a.shape[0], b.shape[1])
    for i in range(n):
        for j in range(n):
            for p in range(min(n, a.shape[1])):
                c[i, j] += a[i, p] * b[p, j]

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b):
        return Tensor(matmul(a, b))
    dtype = np.result_type(a, b)
    a, b = np.array(a, dtype, order="C"), np.array(b, dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    square(a, b, c)
    return Tensor(c)
