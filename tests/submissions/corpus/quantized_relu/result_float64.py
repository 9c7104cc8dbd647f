# wrong: the result is float64
# loses: visible, dtypes
# %%
def quantized_relu(x, scale=1.0):
    scale = check_scale("scale", scale)
    q = quantize(x, scale)
    return Tensor(np.maximum(q, 0) * np.float64(scale))
