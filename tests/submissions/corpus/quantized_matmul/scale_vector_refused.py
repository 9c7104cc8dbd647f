# wrong: scale_B must be one number, a vector raises
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa, sb = check_scale("scale_A", scale_A), check_scale("scale_B", scale_B)
    acc = quantize(a, sa).astype(np.int64) @ quantize(b, sb).astype(np.int64)
    return Tensor((acc * (sa * sb)).astype(np.float32))
