# wrong: the int8 levels are not dequantized
# loses: visible, values
# %%
def quantized_relu(x, scale=1.0):
    q = quantize(x, check_scale("scale", scale))
    return Tensor(np.maximum(q, np.int8(0)))
