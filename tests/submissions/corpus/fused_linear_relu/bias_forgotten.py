# wrong: b is checked and never added
# loses: visible, values
# %%
@compiled
def fused(x, w, out):
    for i in range(x.shape[0]):
        for p in range(x.shape[1]):
            for j in range(w.shape[1]):
                out[i, j] += x[i, p] * w[p, j]
        for j in range(w.shape[1]):
            if out[i, j] < 0:
                out[i, j] = 0

# %%
def fused_linear_relu(x, W, b, num_workers=None):
    a, w = matmul_operands(x, W)
    bias = as_array(b)
    if bias.shape != (w.shape[1],):
        raise ValueError(f"bias of shape {bias.shape} does not fit W {w.shape}")
    dtype = np.result_type(a, w, bias)
    if not compilable(a, w, bias):
        return vectorized_relu(matmul(a, w).astype(dtype))
    out = np.zeros((len(a), len(bias)), dtype)
    fused(np.array(a, dtype, order="C"), np.array(w, dtype, order="C"), out)
    return Tensor(out)
