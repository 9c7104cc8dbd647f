# wrong: what to_sparse made is used as scratch space, so a second product with it is wrong
# loses: dtypes
# %%
@compiled
def csr(a, indptr, indices, data, out):
    for j in range(out.shape[1]):
        for q in range(indptr[j], indptr[j + 1]):
            for i in range(a.shape[0]):
                out[i, j] += a[i, indices[q]] * data[q]
            data[q] = 0

# %%
def sparse_matmul(A, W, num_workers=None):
    a, w = sparse_operands(A, W)
    w = to_sparse(w)
    if not compilable(a, w.values):
        return Tensor(a @ w.to_dense())
    dtype = np.result_type(a, w.dtype)
    out = np.zeros((len(a), w.shape[1]), dtype)
    data = np.require(w.values, dtype, ["C", "W"])
    csr(np.array(a, dtype, order="C"), w.indptr, w.indices, data, out)
    return Tensor(out)
