# wrong: int8 inputs are divided by the scale although they are levels already
# loses: values
# %%
def quantized_relu(x, scale=1.0):
    values = as_array(x).astype(np.float64)
    scale = check_scale("scale", scale)
    q = np.clip(np.rint(values / scale), -128, 127).astype(np.int8)
    return Tensor(dequantize(np.maximum(q, np.int8(0)), scale))
