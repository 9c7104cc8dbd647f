# wrong: the kernel uses A's rows as scratch space, so A is changed
# loses: dtypes
# %%
@compiled
def mm(a, b, c):
    for i in range(a.shape[0]):
        for p in range(a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, p] * b[p, j]
            a[i, p] = 0  # used up

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b):
        return Tensor(matmul(a, b))
    dtype = np.result_type(a, b)
    a, b = np.require(a, dtype, ["C", "W"]), np.require(b, dtype, ["C", "W"])
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    mm(a, b, c)
    return Tensor(c)
