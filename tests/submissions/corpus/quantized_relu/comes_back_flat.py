# wrong: the shape is lost
# loses: shapes
# %%
def quantized_relu(x, scale=1.0):
    scale = check_scale("scale", scale)
    levels = quantize(x, scale).ravel()
    return Tensor(np.array([max(int(q), 0) * scale for q in levels], dtype=np.float32))
