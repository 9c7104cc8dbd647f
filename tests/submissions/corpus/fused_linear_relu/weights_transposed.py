# wrong: W is taken as (out, in), as some libraries store it
# loses: visible, values
# %%
@compiled
def fused(x, w, bias, out):
    for i in range(x.shape[0]):
        for j in range(w.shape[0]):
            s = bias[j]
            for p in range(x.shape[1]):
                s += x[i, p] * w[j, p]
            out[i, j] = 0 if s < 0 else s

# %%
def fused_linear_relu(x, W, b, num_workers=None):
    a, w, bias = as_array(x), as_array(W), as_array(b)
    if a.ndim != 2 or w.ndim != 2 or a.shape[1] != w.shape[1] or bias.shape != w.shape[:1]:
        raise ValueError(f"{a.shape}, {w.shape} and {bias.shape} do not fit")
    dtype = np.result_type(a, w, bias)
    if not compilable(a, w, bias):
        return vectorized_relu(matmul(a, w.T) + bias)
    out = np.zeros((len(a), len(w)), dtype)
    fused(*(np.array(v, dtype, order="C") for v in (a, w, bias)), out)
    return Tensor(out)
