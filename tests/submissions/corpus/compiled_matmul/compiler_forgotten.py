# wrong: the loops run in Python, the decorator is missing
# loses: mechanism
# %%
def multiply(a, b, out):
    for i in range(a.shape[0]):
        for p in range(a.shape[1]):
            out[i] += a[i, p] * b[p]

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b):
        return Tensor(matmul(a, b))
    out = np.zeros((a.shape[0], b.shape[1]), np.result_type(a, b))
    multiply(a, b, out)
    return Tensor(out)
