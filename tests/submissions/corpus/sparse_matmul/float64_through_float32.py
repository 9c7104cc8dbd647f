# wrong: the sum is kept in float32, so a float64 result has seven digits
# loses: dtypes
# %%
@compiled
def csr(a, indptr, indices, data, out):
    for i in range(a.shape[0]):
        for j in range(out.shape[1]):
            s = np.float32(0)
            for q in range(indptr[j], indptr[j + 1]):
                s += np.float32(a[i, indices[q]] * data[q])
            out[i, j] = s

# %%
def sparse_matmul(A, W, num_workers=None):
    a, w = sparse_operands(A, W)
    w = to_sparse(w)
    if not compilable(a, w.values):
        return Tensor(a @ w.to_dense())
    dtype = np.result_type(a, w.dtype)
    out = np.zeros((len(a), w.shape[1]), dtype)
    csr(np.array(a, dtype, order="C"), w.indptr, w.indices, w.values.astype(dtype), out)
    return Tensor(out)
