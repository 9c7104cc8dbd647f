# wrong: the loop over the stored weights runs in Python, the decorator is missing
# loses: mechanism
# %%
def csr(a, indptr, indices, data, out):
    for j in range(out.shape[1]):
        for q in range(indptr[j], indptr[j + 1]):
            out[:, j] += a[:, indices[q]] * data[q]


def sparse_matmul(A, W, num_workers=None):
    a, w = sparse_operands(A, W)
    w = to_sparse(w)
    if not compilable(a, w.values):
        return Tensor(a @ w.to_dense())
    out = np.zeros((len(a), w.shape[1]), np.result_type(a, w.dtype))
    csr(a, w.indptr, w.indices, w.values, out)
    return Tensor(out)
