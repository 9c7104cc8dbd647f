# wrong: every block of 64 along k stores its sum instead of adding it
# loses: shapes
# %%
@compiled
def blocked(a, b, c):
    k = a.shape[1]
    for p0 in range(0, k, 64):
        for i in range(a.shape[0]):
            for j in range(b.shape[1]):
                s = a[i, p0] * b[p0, j]
                for p in range(p0 + 1, min(p0 + 64, k)):
                    s += a[i, p] * b[p, j]
                c[i, j] = s

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b):
        return Tensor(matmul(a, b))
    dtype = np.result_type(a, b)
    a, b = np.array(a, dtype, order="C"), np.array(b, dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    blocked(a, b, c)
    return Tensor(c)
