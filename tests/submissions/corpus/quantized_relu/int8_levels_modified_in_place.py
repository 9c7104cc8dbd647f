# wrong: quantize returns int8 input uncopied, and the ReLU is written into it
# loses: dtypes
# %%
def quantized_relu(x, scale=1.0):
    s = check_scale("scale", scale)
    q = quantize(x, s)
    np.maximum(q, 0, out=q)
    return Tensor(dequantize(q, s))
