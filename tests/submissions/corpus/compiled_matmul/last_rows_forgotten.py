# wrong: four rows a step, the rows after the last whole four stay zero
# loses: shapes
# %%
@compiled
def four_rows(a, b, c):
    for i in range(0, a.shape[0] // 4 * 4, 4):
        for p in range(a.shape[1]):
            for j in range(b.shape[1]):
                v = b[p, j]
                c[i, j] += a[i, p] * v
                c[i + 1, j] += a[i + 1, p] * v
                c[i + 2, j] += a[i + 2, p] * v
                c[i + 3, j] += a[i + 3, p] * v

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b) or a.size < 16:
        return Tensor(matmul(a, b))
    dtype = np.result_type(a, b)
    a, b = np.array(a, dtype, order="C"), np.array(b, dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    four_rows(a, b, c)
    return Tensor(c)
