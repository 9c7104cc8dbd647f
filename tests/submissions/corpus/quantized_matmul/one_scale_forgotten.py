# wrong: the sums are multiplied by scale_A only
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    qa, qb = quantize(a, sa).astype(np.int32), quantize(b, sb).astype(np.int32)
    out = (qa @ qb).astype(np.float64)
    out *= sa
    return Tensor(out.astype(np.float32))
