# wrong: the bias is taken by the row of the result, not by its column
# loses: visible, values
# %%
@compiled
def fused(x, w, bias, out):
    for i in range(x.shape[0]):
        for j in range(w.shape[1]):
            s = bias[i % bias.size]
            for p in range(x.shape[1]):
                s += x[i, p] * w[p, j]
            out[i, j] = 0 if s < 0 else s

# %%
def fused_linear_relu(x, W, b, num_workers=None):
    a, w = matmul_operands(x, W)
    bias = as_array(b)
    if bias.shape != (w.shape[1],):
        raise ValueError(f"bias of shape {bias.shape} does not fit W {w.shape}")
    dtype = np.result_type(a, w, bias)
    if not compilable(a, w, bias):
        return vectorized_relu(matmul(a, w) + bias)
    out = np.zeros((len(a), len(bias)), dtype)
    if out.size:
        fused(*(np.array(v, dtype, order="C") for v in (a, w, bias)), out)
    return Tensor(out)
