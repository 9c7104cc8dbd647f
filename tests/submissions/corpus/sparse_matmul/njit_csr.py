# right: one sample and one column at a time, as SciPy's loops do it
# %%
from numba import njit


@njit(nogil=True)
def csr_matvecs(a, indptr, indices, data, out):
    for i in range(a.shape[0]):
        for j in range(indptr.size - 1):
            total = out.dtype.type(0)
            for q in range(indptr[j], indptr[j + 1]):
                total += a[i, indices[q]] * data[q]
            out[i, j] = total

# %%
def sparse_matmul(A, W, num_workers=None):
    a, w = sparse_operands(A, W)
    sparse = to_sparse(w)
    dtype = np.result_type(a.dtype, sparse.dtype)
    if dtype not in (np.float32, np.float64) or not np.isfinite(a).all():
        return Tensor(matmul(a, sparse.to_dense()))
    out = np.empty((a.shape[0], sparse.shape[1]), dtype)
    data = np.array(sparse.values, dtype)
    csr_matvecs(np.array(a, dtype, order="C"), sparse.indptr, sparse.indices, data, out)
    return Tensor(out)
