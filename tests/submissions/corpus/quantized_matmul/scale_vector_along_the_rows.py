# wrong: scale_B is applied to the rows of B, one per input channel
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    column = np.reshape(sb, (-1, 1))
    if b.dtype == np.int8:
        qb = b.astype(np.int32)
    else:
        qb = np.clip(np.rint(b / column), -128, 127).astype(np.int32)
    qa = quantize(a, sa).astype(np.int32)
    return Tensor((qa @ qb * (sa * sb)).astype(np.float32))
