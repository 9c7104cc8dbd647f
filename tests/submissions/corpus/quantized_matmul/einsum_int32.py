# right: einsum in int32, the scales one after the other
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    scale_A = check_scale("scale_A", scale_A)
    scale_B = check_scale("scale_B", scale_B, columns=b.shape[1])
    # 100,000 * 128 * 128 is below 2**31
    total = np.einsum(
        "ik,kj->ij", quantize(a, scale_A).astype(np.int32), quantize(b, scale_B).astype(np.int32)
    )
    with np.errstate(all="ignore"):
        out = total.astype(np.float64)
        out *= scale_A
        out *= scale_B
        return Tensor(out.astype(np.float32))
