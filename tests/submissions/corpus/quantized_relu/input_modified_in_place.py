# wrong: negative entries of x itself become zero
# loses: dtypes
# %%
def quantized_relu(x, scale=1.0):
    values = as_array(x)
    scale = check_scale("scale", scale)
    values[values < 0] = 0
    return Tensor(dequantize(quantize(values, scale), scale))
