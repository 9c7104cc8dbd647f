# wrong: the result is divided by the scales instead of multiplied
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    qa, qb = quantize(a, sa).astype(np.int32), quantize(b, sb).astype(np.int32)
    return Tensor(((qa @ qb) / (sa * sb)).astype(np.float32))
