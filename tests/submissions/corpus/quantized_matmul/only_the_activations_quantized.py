# wrong: B stays in float, only A is quantized
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    weights = b * sb if b.dtype == np.int8 else b.astype(np.float64)
    return Tensor((quantize(a, sa).astype(np.float64) @ weights * sa).astype(np.float32))
