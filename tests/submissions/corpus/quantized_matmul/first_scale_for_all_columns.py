# wrong: of a vector scale_B only the first entry is used in the end
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    acc = quantize(a, sa).astype(np.int64) @ quantize(b, sb).astype(np.int64)
    sb = np.ravel(sb)[0] if np.size(sb) else 1.0
    return Tensor((acc * (sa * sb)).astype(np.float32))
