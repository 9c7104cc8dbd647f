# wrong: the bias is not checked, and of one that is too long the first entries are used
# loses: errors
# %%
@compiled
def fused(x, w, bias, out):
    for i in range(x.shape[0]):
        for j in range(w.shape[1]):
            s = bias[j % max(bias.size, 1)]
            for p in range(x.shape[1]):
                s += x[i, p] * w[p, j]
            out[i, j] = 0 if s < 0 else s

# %%
def fused_linear_relu(x, W, b, num_workers=None):
    a, w = matmul_operands(x, W)
    bias = as_array(b).ravel()
    dtype = np.result_type(a, w, bias)
    n = w.shape[1]
    if not compilable(a, w, bias):
        return vectorized_relu(matmul(a, w) + bias[:n])
    out = np.zeros((len(a), n), dtype)
    if bias.size:
        fused(*(np.array(v, dtype, order="C") for v in (a, w, bias)), out)
    return Tensor(out)
