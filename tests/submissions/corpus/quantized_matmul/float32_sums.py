# wrong: one float32 product over all of K, not exact above 2**24
# loses: dtypes
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    """Quantize, then let BLAS do the work in float32."""
    a, b = matmul_operands(A, B)
    sa, sb = check_scale("scale_A", scale_A), check_scale("scale_B", scale_B, b.shape[1])
    qa = quantize(a, sa, dtype=np.float32)
    qb = quantize(b, sb, dtype=np.float32)
    acc = qa @ qb
    return Tensor((acc * (sa * sb)).astype(np.float32))
