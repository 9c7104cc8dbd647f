# wrong: the cast cuts off the fraction instead of rounding
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    qa = a if a.dtype == np.int8 else np.clip(a / sa, -128, 127).astype(np.int8)
    qb = b if b.dtype == np.int8 else np.clip(b / sb, -128, 127).astype(np.int8)
    acc = np.matmul(qa, qb, dtype=np.int64)
    return Tensor((acc * sa * sb).astype(np.float32))
