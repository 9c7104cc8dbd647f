# wrong: columns of zeros are squeezed out, and later columns move to the left
# loses: values
# %%
@compiled
def csr(a, indptr, indices, data, out):
    for i in range(a.shape[0]):
        place = 0
        for j in range(len(indptr) - 1):
            if indptr[j] == indptr[j + 1]:
                continue
            for q in range(indptr[j], indptr[j + 1]):
                out[i, place] += a[i, indices[q]] * data[q]
            place += 1

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
