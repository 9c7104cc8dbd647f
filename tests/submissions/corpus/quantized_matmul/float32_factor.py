# right: the exact sums are multiplied by one float32 factor
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa, sb = check_scale("scale_A", scale_A), check_scale("scale_B", scale_B, b.shape[1])
    acc = np.matmul(quantize(a, sa), quantize(b, sb), dtype=np.int32)
    with np.errstate(all="ignore"):
        factor = np.asarray(np.multiply(sa, sb), dtype=np.float32)
        return Tensor(acc.astype(np.float32) * factor)
