# wrong: NumPy turns 0-d results into scalars, which take no assignment
# loses: shapes
# %%
def quantized_relu(x, scale=1.0):
    values = as_array(x)
    scale = check_scale("scale", scale)
    q = values + np.int8(0) if values.dtype == np.int8 else np.clip(np.rint(values / scale), -128, 127)
    q[q < 0] = 0
    return Tensor((q * scale).astype(np.float32))
