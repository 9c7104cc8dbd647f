# wrong: the result is an ndarray
# loses: visible
# %%
def quantized_relu(x, scale=1.0):
    scale = check_scale("scale", scale)
    return dequantize(np.maximum(quantize(x, scale), np.int8(0)), scale)
