# wrong: levels beyond 127 wrap around in the cast to int8 instead of saturating
# loses: values
# %%
def to_int8(x, scale):
    return np.rint(x / np.asarray(scale, np.float64)).astype(np.int64).astype(np.int8)

# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    scale_A = check_scale("scale_A", scale_A)
    scale_B = check_scale("scale_B", scale_B, b.shape[1])
    qa = a if a.dtype == np.int8 else to_int8(a, scale_A)
    qb = b if b.dtype == np.int8 else to_int8(b, scale_B)
    acc = qa.astype(np.int64) @ qb.astype(np.int64)
    return Tensor((acc * (scale_A * scale_B)).astype(np.float32))
