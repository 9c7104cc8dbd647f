# wrong: the loops run in Python, the decorator is missing
# loses: mechanism
# %%
def fused(x, w, bias, out):
    for i in range(x.shape[0]):
        row = bias.astype(out.dtype)
        for p in range(x.shape[1]):
            row = row + x[i, p] * w[p]
        for j in range(len(row)):
            out[i, j] = 0 if row[j] < 0 else row[j]

# %%
def fused_linear_relu(x, W, b, num_workers=None):
    a, w = matmul_operands(x, W)
    bias = as_array(b)
    if bias.shape != (w.shape[1],):
        raise ValueError(f"bias of shape {bias.shape} does not fit W {w.shape}")
    out = np.zeros((len(a), len(bias)), np.result_type(a, w, bias))
    if not compilable(a, w, bias):
        return vectorized_relu((matmul(a, w) + bias).astype(out.dtype))
    fused(a, w, bias, out)
    return Tensor(out)
