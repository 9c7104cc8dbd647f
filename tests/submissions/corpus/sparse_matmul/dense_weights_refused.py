# wrong: takes only what to_sparse made, a dense W is an AttributeError
# loses: visible, values
# %%
@compiled
def csr(a, indptr, indices, data, out):
    for i in range(a.shape[0]):
        for j in range(out.shape[1]):
            s = out[i, j]
            for q in range(indptr[j], indptr[j + 1]):
                s += a[i, indices[q]] * data[q]
            out[i, j] = s

# %%
def sparse_matmul(A, W, num_workers=None):
    a = as_array(A)
    if a.ndim != 2 or a.shape[1] != W.shape[0]:
        raise ValueError(f"{a.shape} and {W.shape} do not fit")
    if not compilable(a, W.values):
        return Tensor(a @ W.to_dense())
    dtype = np.result_type(a, W.dtype)
    out = np.zeros((len(a), W.shape[1]), dtype)
    csr(np.array(a, dtype, order="C"), W.indptr, W.indices, W.values.astype(dtype), out)
    return Tensor(out)
