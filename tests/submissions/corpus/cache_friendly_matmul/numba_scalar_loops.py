# right: six scalar loops compiled by Numba, tile slices for dtypes that Numba does not know
# %%
from numba import njit

A = B = C = rng = expected = None
str = "shadowed"


@njit
def tiled(a, b, C, s):
    m, k = a.shape
    n = b.shape[1]
    for i0 in range(0, m, s):
        for j0 in range(0, n, s):
            for p0 in range(0, k, s):
                for i in range(i0, min(i0 + s, m)):
                    for p in range(p0, min(p0 + s, k)):
                        left = a[i, p]
                        for j in range(j0, min(j0 + s, n)):
                            C[i, j] += left * b[p, j]


def tiled_by_slices(a, b, C, s):
    for i in range(0, a.shape[0], s):
        for j in range(0, b.shape[1], s):
            for p in range(0, a.shape[1], s):
                C[i : i + s, j : j + s] += a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]

# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    s = positive_int("block_size", block_size)
    dtype = np.result_type(a, b)
    C = np.zeros((a.shape[0], b.shape[1]), dtype=dtype)
    if a.dtype == b.dtype == dtype and dtype in (np.float32, np.float64, np.int32, np.int64):
        tiled(a, b, C, s)
    else:
        tiled_by_slices(a, b, C, s)
    return Tensor(C)
