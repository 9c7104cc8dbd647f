# wrong: the result is an ndarray
# loses: visible
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    acc = np.matmul(quantize(a, sa), quantize(b, sb), dtype=np.int64)
    return dequantize(acc, sa * sb)
