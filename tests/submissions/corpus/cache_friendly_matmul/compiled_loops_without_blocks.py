# wrong: a Numba triple loop that walks down the columns of B and knows no blocks
# loses: mechanism
# %%
from numba import njit


@njit
def plain_loops(a, b, C):
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for p in range(a.shape[1]):
                C[i, j] += a[i, p] * b[p, j]

# %%
def cache_friendly_matmul(A, B, block_size=32):
    a, b = matmul_operands(A, B)
    positive_int("block_size", block_size)
    dtype = np.result_type(a, b)
    C = np.zeros((a.shape[0], b.shape[1]), dtype=dtype)
    if dtype in (np.float32, np.float64, np.int64):
        plain_loops(a.astype(dtype), b.astype(dtype), C)
        return Tensor(C)
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            C[i, j] = np.dot(a[i], b[:, j])
    return Tensor(C)
