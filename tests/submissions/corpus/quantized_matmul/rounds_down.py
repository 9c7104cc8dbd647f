# wrong: floor division instead of rounding
# loses: values
# %%
def levels(x, s):
    if x.dtype == np.int8:
        return x.astype(np.int64)
    return np.clip(x // s, -128, 127).astype(np.int64)


def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    return Tensor((levels(a, sa) @ levels(b, sb) * (sa * sb)).astype(np.float32))
