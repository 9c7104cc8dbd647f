# wrong: integers are cast to float32, which loses large ones and the dtype
# loses: dtypes
# %%
from numba import njit

@njit
def product(a, b, c):
    m, k = a.shape
    for i in range(m):
        for p in range(k):
            for j in range(b.shape[1]):
                c[i, j] += a[i, p] * b[p, j]

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    dtype = np.result_type(a, b)
    if dtype not in (np.float32, np.float64):
        dtype = np.dtype(np.float32)
    a, b = np.array(a, dtype, order="C"), np.array(b, dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    product(a, b, c)
    return Tensor(c)
