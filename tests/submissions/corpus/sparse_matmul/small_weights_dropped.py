# wrong: weights below 0.01 count as pruned
# loses: values
# %%
@compiled
def skip_small(a, w, out):
    for p in range(w.shape[0]):
        for j in range(w.shape[1]):
            v = w[p, j]
            if abs(v) < 0.01:
                continue
            for i in range(a.shape[0]):
                out[i, j] += a[i, p] * v

# %%
def sparse_matmul(A, W, num_workers=None):
    a, w = sparse_operands(A, W)
    if isinstance(w, SparseMatrix):
        w = w.to_dense()
    if not compilable(a, w):
        return Tensor(matmul(a, w))
    dtype = np.result_type(a, w)
    out = np.zeros((a.shape[0], w.shape[1]), dtype)
    skip_small(np.array(a, dtype, order="C"), np.array(w, dtype, order="C"), out)
    return Tensor(out)
