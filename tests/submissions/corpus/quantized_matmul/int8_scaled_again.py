# wrong: int8 inputs are divided by the scale although they are levels already
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    qa = np.clip(np.rint(a.astype(np.float64) / sa), -128, 127).astype(np.int32)
    qb = np.clip(np.rint(b.astype(np.float64) / sb), -128, 127).astype(np.int32)
    return Tensor(((qa @ qb) * (sa * sb)).astype(np.float32))
