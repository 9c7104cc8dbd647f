# wrong: float64 inputs give a float32 result
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
    out = np.zeros((len(a), w.shape[1]), dtype=np.float32)
    csr(np.array(a, np.float32, order="C"), w.indptr, w.indices, w.values.astype(np.float32), out)
    return Tensor(out)
