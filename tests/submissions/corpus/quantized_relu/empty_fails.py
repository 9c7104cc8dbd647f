# wrong: asks for the largest entry first, which an empty array does not have
# loses: shapes
# %%
def quantized_relu(x, scale=1.0):
    values = as_array(x)
    scale = check_scale("scale", scale)
    if values.max() <= 0:
        return Tensor(np.zeros(values.shape, dtype=np.float32))
    q = np.maximum(quantize(values, scale), np.int8(0))
    return Tensor(dequantize(q, scale))
