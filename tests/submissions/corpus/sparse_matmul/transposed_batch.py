# right: A transposed, so that one weight multiplies a row of samples; the result is turned back
# %%
def sparse_matmul(A, W, num_workers=None):
    a, w = sparse_operands(A, W)
    if not compilable(a, w.values if isinstance(w, SparseMatrix) else w) or not finite(a):
        dense = w.to_dense() if isinstance(w, SparseMatrix) else w
        return matmul_baseline(a, dense)
    w = to_sparse(w)
    dtype = np.result_type(a, w.dtype)
    samples = np.array(a.T, dtype, order="C")
    sums = np.zeros((w.shape[1], a.shape[0]), dtype)
    _add_rows(samples, w.indptr, w.indices, w.values.astype(dtype), sums)
    return Tensor(np.ascontiguousarray(sums.T))


def finite(a):
    return bool(np.all(np.isfinite(a)))


@compiled
def _add_rows(samples, indptr, indices, values, sums):
    for j in range(len(sums)):
        target = sums[j]
        for q in range(indptr[j], indptr[j + 1]):
            target += values[q] * samples[indices[q]]
