# wrong: inner dimensions that differ go through, columns of A or weights that find no partner are dropped
# loses: errors
# %%
@compiled
def csr(a, indptr, indices, data, out):
    for i in range(a.shape[0]):
        for j in range(out.shape[1]):
            for q in range(indptr[j], indptr[j + 1]):
                if indices[q] < a.shape[1]:
                    out[i, j] += a[i, indices[q]] * data[q]

# %%
def sparse_matmul(A, W, num_workers=None):
    a = as_array(A)
    w = to_sparse(W)
    if not compilable(a, w.values):
        return Tensor(a @ w.to_dense())
    dtype = np.result_type(a, w.dtype)
    out = np.zeros((len(a), w.shape[1]), dtype)
    csr(np.array(a, dtype, order="C"), w.indptr, w.indices, w.values.astype(dtype), out)
    return Tensor(out)
