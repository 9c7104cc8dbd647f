# wrong: a plain ReLU that gives float32 and ignores the grid of levels
# loses: values
# %%
def quantized_relu(x, scale=1.0):
    values = as_array(x)
    scale = check_scale("scale", scale)
    if values.dtype == np.int8:
        return Tensor(np.maximum(values, 0).astype(np.float32) * np.float32(scale))
    return Tensor(np.maximum(values, 0).astype(np.float32))
