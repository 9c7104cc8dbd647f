# wrong: float64 operands give a float32 result
# loses: dtypes
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
        return Tensor(matmul(a, b))
    a, b = np.array(a, np.float32, order="C"), np.array(b, np.float32, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), np.float32)
    mm(a, b, c)
    return Tensor(c)
