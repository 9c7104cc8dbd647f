# wrong: negative levels keep their magnitude
# loses: visible, values
# %%
def quantized_relu(x, scale=1.0):
    scale = check_scale("scale", scale)
    q = quantize(x, scale).astype(np.int32)
    return Tensor(dequantize(np.abs(q), scale))
