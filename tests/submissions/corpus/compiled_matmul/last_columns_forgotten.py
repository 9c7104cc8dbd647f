# wrong: panels of eight columns, the columns after the last whole panel stay zero
# loses: shapes
# %%
WIDTH = 8

@compiled
def panels(a, b, c):
    for panel in range(b.shape[1] // 8):
        j0 = panel * 8
        for i in range(a.shape[0]):
            for p in range(a.shape[1]):
                for j in range(j0, j0 + 8):
                    c[i, j] += a[i, p] * b[p, j]

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b) or b.shape[1] < WIDTH:
        return Tensor(matmul(a, b))
    dtype = np.result_type(a, b)
    a, b = np.array(a, dtype, order="C"), np.array(b, dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    panels(a, b, c)
    return Tensor(c)
