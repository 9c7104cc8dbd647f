# wrong: levels are rounded and may grow beyond 127
# loses: values
# %%
def quantized_relu(x, scale=1.0):
    values = as_array(x)
    scale = check_scale("scale", scale)
    levels = values if values.dtype == np.int8 else np.round(values / scale)
    return Tensor((np.maximum(levels, 0) * scale).astype(np.float32))
