# right: one row of the result at a time with slices of arrays inside the compiled function
# %%
from numba import njit


@njit
def rows_times_matrix(a, b, c):
    for i in range(len(a)):
        row = c[i]
        for p in range(len(b)):
            row += a[i, p] * b[p]

# %%
def compiled_matmul(A, B, num_workers=None):
    a, b = matmul_operands(A, B)
    if not compilable(a, b):
        return matmul_baseline(a, b)
    dtype = np.result_type(a, b)
    c = np.zeros((a.shape[0], b.shape[1]), dtype)
    rows_times_matrix(a.astype(dtype, order="C"), b.astype(dtype, order="C"), c)
    return Tensor(c)
