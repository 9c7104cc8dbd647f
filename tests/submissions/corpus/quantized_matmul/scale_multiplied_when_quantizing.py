# wrong: the levels are x * scale instead of x / scale
# loses: visible, values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])

    def q(x, s):
        return x if x.dtype == np.int8 else np.clip(np.rint(x * s), -128, 127).astype(np.int8)

    acc = q(a, sa).astype(np.int64) @ q(b, sb).astype(np.int64)
    return Tensor((acc * (sa * sb)).astype(np.float32))
