# wrong: float32 times float64 weights gives float32, the dtype of A
# loses: dtypes
# %%
@compiled
def csr(a, indptr, indices, data, out):
    for i in range(a.shape[0]):
        for j in range(out.shape[1]):
            for q in range(indptr[j], indptr[j + 1]):
                out[i, j] += a[i, indices[q]] * data[q]

# %%
def sparse_matmul(A, W, num_workers=None):
    a, w = sparse_operands(A, W)
    w = to_sparse(w)
    if not compilable(a, w.values):
        return Tensor(a @ w.to_dense())
    out = np.zeros((len(a), w.shape[1]), a.dtype)
    csr(np.array(a, order="C"), w.indptr, w.indices, w.values.astype(a.dtype), out)
    return Tensor(out)
