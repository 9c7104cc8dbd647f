# wrong: the result is cast back to x's dtype, so float64 and integers do not give float32
# loses: dtypes
# %%
def quantized_relu(x, scale=1.0):
    values, scale = as_array(x), check_scale("scale", scale)
    q = quantize(values, scale)
    return Tensor(dequantize(np.maximum(q, np.int8(0)), scale).astype(values.dtype))
