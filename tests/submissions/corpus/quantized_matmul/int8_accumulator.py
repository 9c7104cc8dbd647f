# wrong: the int8 matrices are multiplied as int8, sums wrap around at 127
# loses: visible, values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa, sb = check_scale("scale_A", scale_A), check_scale("scale_B", scale_B, b.shape[1])
    qa = quantize(a, sa)
    qb = quantize(b, sb)
    c = qa @ qb
    return Tensor(dequantize(c, sa * sb))
