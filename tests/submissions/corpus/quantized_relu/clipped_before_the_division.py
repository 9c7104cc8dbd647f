# wrong: x itself is clipped to -128 ... 127, not the levels
# loses: values
# %%
def quantized_relu(x, scale=1.0):
    values = as_array(x)
    scale = check_scale("scale", scale)
    if values.dtype == np.int8:
        q = values.astype(np.float64)
    else:
        q = np.rint(np.clip(values, -128, 127) / scale)
    q = np.maximum(q, 0)
    return Tensor((q * scale).astype(np.float32))
