# wrong: shapes that do not fit raise AssertionError, not ValueError
# loses: errors
# %%
@compiled
def mm(a, b, c):
    for i in range(a.shape[0]):
        for p in range(a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, p] * b[p, j]

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = as_array(A), as_array(B)
    assert a.ndim == 2 and b.ndim == 2, f"need matrices, got {a.shape} and {b.shape}"
    assert a.shape[1] == b.shape[0], f"shapes {a.shape} and {b.shape} do not fit"
    if not compilable(a, b):
        return Tensor(matmul(a, b))
    dtype = np.result_type(a, b)
    a, b = np.array(a, dtype, order="C"), np.array(b, dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    mm(a, b, c)
    return Tensor(c)
