# wrong: the cast cuts off the fraction instead of rounding
# loses: values
# %%
def quantized_relu(x, scale=1.0):
    values = as_array(x)
    scale = check_scale("scale", scale)
    if values.dtype == np.int8:
        q = values
    else:
        q = np.clip(values / scale, -128, 127).astype(np.int8)
    return Tensor((np.maximum(q, 0) * scale).astype(np.float32))
