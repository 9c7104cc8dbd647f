# wrong: the levels become float32 but are not multiplied by the scale
# loses: values
# %%
def quantized_relu(x, scale=1.0):
    q = quantize(x, check_scale("scale", scale))
    q = np.where(q > 0, q, 0)
    return Tensor(q.astype(np.float32))
