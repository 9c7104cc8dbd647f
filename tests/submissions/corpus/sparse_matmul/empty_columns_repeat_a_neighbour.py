# wrong: the sum is not reset for a column of zeros, which gets that of the column before
# loses: values
# %%
@compiled
def csr(a, indptr, indices, data, out):
    for i in range(a.shape[0]):
        s = out.dtype.type(0)
        for j in range(out.shape[1]):
            if indptr[j] < indptr[j + 1]:
                s = data[indptr[j]] * a[i, indices[indptr[j]]]
                for q in range(indptr[j] + 1, indptr[j + 1]):
                    s += a[i, indices[q]] * data[q]
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
