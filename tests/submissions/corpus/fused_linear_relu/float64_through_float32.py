# wrong: everything is computed in float32 and cast back
# loses: dtypes
# %%
@compiled
def fused(x, w, bias, out):
    for i in range(x.shape[0]):
        for j in range(w.shape[1]):
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
    if not compilable(a, w, bias):
        return vectorized_relu(matmul(a, w) + bias)
    out = np.zeros((len(a), len(bias)), np.float32)
    fused(*(np.array(v, np.float32, order="C") for v in (a, w, bias)), out)
    return Tensor(out.astype(np.result_type(a, w, bias)))
