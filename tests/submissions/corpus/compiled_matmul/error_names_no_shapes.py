# wrong: the ValueError does not say which shapes were received
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
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError("A and B do not fit")
    if not compilable(a, b):
        return Tensor(matmul(a, b))
    dtype = np.result_type(a, b)
    a, b = np.array(a, dtype, order="C"), np.array(b, dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    mm(a, b, c)
    return Tensor(c)
