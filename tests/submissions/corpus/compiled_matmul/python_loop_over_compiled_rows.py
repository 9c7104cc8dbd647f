# wrong: only the dot product is compiled, two Python loops call it m * n times
# loses: mechanism
# %%
from numba import njit

@njit
def dot(u, v, start):
    s = start
    for p in range(u.size):
        s += u[p] * v[p]
    return s

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b):
        return Tensor(matmul(a, b))
    dtype = np.result_type(a, b)
    left, right = np.array(a, dtype, order="C"), np.array(b.T, dtype, order="C")
    out = np.zeros((a.shape[0], b.shape[1]), dtype)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = dot(left[i], right[j], dtype.type(0))
    return Tensor(out)
