# wrong: float32 @ float64 gives float32, the dtype of A
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
    a, b = np.array(a, order="C"), np.array(b, a.dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    mm(a, b, c)
    return Tensor(c)
