# wrong: levels beyond 127 wrap around in the cast to int8 instead of saturating
# loses: values
# %%
def quantized_relu(x, scale=1.0):
    values, scale = as_array(x), check_scale("scale", scale)
    if values.dtype != np.int8:
        values = np.rint(values / scale).astype(np.int64).astype(np.int8)
    q = np.maximum(values, np.int8(0))
    return Tensor(dequantize(q, scale))
