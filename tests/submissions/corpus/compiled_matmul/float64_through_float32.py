# wrong: the sum is kept in float32, so a float64 result has seven digits
# loses: dtypes
# %%
@compiled
def mm(a, b, c):
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = np.float32(0.0)
            for p in range(a.shape[1]):
                total += np.float32(a[i, p] * b[p, j])
            c[i, j] = total

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b):
        return Tensor(matmul(a, b))
    dtype = np.result_type(a, b)
    a, b = np.array(a, dtype, order="C"), np.array(b, dtype, order="C")
    c = np.empty((a.shape[0], b.shape[1]), dtype)
    mm(a, b, c)
    return Tensor(c)
