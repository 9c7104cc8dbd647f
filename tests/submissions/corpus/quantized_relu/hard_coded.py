# wrong: assumes the scale of the docstring's example
# loses: values
# %%
def quantized_relu(x, scale=0.5):
    check_scale("scale", scale)
    scale = 0.5
    q = np.maximum(quantize(x, scale), np.int8(0))
    return Tensor(dequantize(q, scale))
