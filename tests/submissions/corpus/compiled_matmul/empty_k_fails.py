# wrong: the sum starts from the first product, which K = 0 does not have
# loses: shapes
# %%
from numba import njit

@njit(boundscheck=True)
def mm(a, b, c):
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            s = a[i, 0] * b[0, j]
            for p in range(1, a.shape[1]):
                s += a[i, p] * b[p, j]
            c[i, j] = s

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
