# wrong: takes only dense weights, what to_sparse made is a TypeError
# loses: values
# %%
@compiled
def skip_zeros(a, w, out):
    for p in range(w.shape[0]):
        for j in range(w.shape[1]):
            v = w[p, j]
            if v != 0:
                for i in range(a.shape[0]):
                    out[i, j] += a[i, p] * v

# %%
def sparse_matmul(A, W, num_workers=None):
    a, w = matmul_operands(A, W)
    if not compilable(a, w):
        return Tensor(matmul(a, w))
    dtype = np.result_type(a, w)
    out = np.zeros((a.shape[0], w.shape[1]), dtype)
    skip_zeros(np.array(a, dtype, order="C"), np.array(w, dtype, order="C"), out)
    return Tensor(out)
