# wrong: eight samples a step, what is left of the batch stays zero
# loses: shapes
# %%
@compiled
def eight_samples(a, indptr, indices, data, out):
    for i in range(0, a.shape[0] - 7, 8):
        for j in range(out.shape[1]):
            for q in range(indptr[j], indptr[j + 1]):
                for r in range(8):
                    out[i + r, j] += a[i + r, indices[q]] * data[q]

# %%
def sparse_matmul(A, W, num_workers=None):
    a, w = sparse_operands(A, W)
    w = to_sparse(w)
    if not compilable(a, w.values) or len(a) < 8:
        return Tensor(a @ w.to_dense())
    dtype = np.result_type(a, w.dtype)
    out = np.zeros((len(a), w.shape[1]), dtype)
    eight_samples(
        np.array(a, dtype, order="C"), w.indptr, w.indices, w.values.astype(dtype), out
    )
    return Tensor(out)
