# wrong: inner dimensions that differ are cut to the shorter one, without an error
# loses: errors
# %%
@compiled
def mm(a, b, c):
    k = min(a.shape[1], b.shape[0])
    for i in range(a.shape[0]):
        for p in range(k):
            for j in range(b.shape[1]):
                c[i, j] += a[i, p] * b[p, j]

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = as_array(A), as_array(B)
    dtype = np.result_type(a, b)
    if not compilable(a, b):
        return Tensor(a @ b)
    a, b = np.array(a, dtype, order="C"), np.array(b, dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    mm(a, b, c)
    return Tensor(c)
