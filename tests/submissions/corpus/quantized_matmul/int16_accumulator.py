# wrong: sums in int16 wrap around at 32767
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa, sb = check_scale("scale_A", scale_A), check_scale("scale_B", scale_B, b.shape[1])
    # one product is at most 128 * 128 = 16384, which fits int16
    qa = quantize(a, sa).astype(np.int16)
    qb = quantize(b, sb).astype(np.int16)
    total = np.matmul(qa, qb)
    return Tensor((total * (sa * sb)).astype(np.float32))
