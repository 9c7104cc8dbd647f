# wrong: reads the format as compressed rows of W, so rows and columns change places
# loses: visible, values
# %%
@compiled
def csr(a, indptr, indices, data, out):
    for p in range(min(len(indptr) - 1, a.shape[1])):
        for q in range(indptr[p], indptr[p + 1]):
            j = indices[q]
            if j < out.shape[1]:
                for i in range(a.shape[0]):
                    out[i, j] += a[i, p] * data[q]

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
