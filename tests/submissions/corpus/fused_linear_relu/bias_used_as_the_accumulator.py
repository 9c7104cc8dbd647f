# wrong: the sums are added up in b itself, so b changes and every row starts from the one before
# loses: visible, values, dtypes
# %%
@compiled
def fused(x, w, bias, out):
    for i in range(x.shape[0]):
        row = bias
        for p in range(x.shape[1]):
            for j in range(w.shape[1]):
                row[j] += x[i, p] * w[p, j]
        for j in range(w.shape[1]):
            out[i, j] = 0 if row[j] < 0 else row[j]

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
    a, w, bias = (np.require(v, dtype, ["C", "W"]) for v in (a, w, bias))
    fused(a, w, bias, out)
    return Tensor(out)
