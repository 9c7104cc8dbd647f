# wrong: eight columns a step, the columns after the last whole step stay zero
# loses: shapes
# %%
@compiled
def fused(x, w, bias, out):
    for j0 in range(0, w.shape[1] - 7, 8):
        for i in range(x.shape[0]):
            for j in range(j0, j0 + 8):
                s = bias[j]
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
    if not compilable(a, w, bias) or w.shape[1] < 8:
        return vectorized_relu(matmul(a, w) + bias)
    out = np.zeros((len(a), len(bias)), dtype)
    fused(*(np.array(v, dtype, order="C") for v in (a, w, bias)), out)
    return Tensor(out)
