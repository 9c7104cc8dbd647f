# right: three plain loops in the order i, p, j
# %%
import numba


@numba.njit(nogil=True)
def _ikj(a, b, c):
    m, k = a.shape
    n = b.shape[1]
    for i in range(m):
        for p in range(k):
            x = a[i, p]
            for j in range(n):
                c[i, j] += x * b[p, j]


def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    dtype = np.result_type(a, b)
    if dtype not in (np.float32, np.float64):
        return Tensor(matmul(a, b))
    left = np.array(a, dtype=dtype, order="C")
    right = np.array(b, dtype=dtype, order="C")
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    _ikj(left, right, c)
    return Tensor(c)
