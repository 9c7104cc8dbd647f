# wrong: symmetric range, -128 becomes -127
# loses: values
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    scale_A = check_scale("scale_A", scale_A)
    scale_B = check_scale("scale_B", scale_B, b.shape[1])

    def q(x, s):
        if x.dtype == np.int8:
            return x.astype(np.int32)
        return np.clip(np.round(x / s), -127, 127).astype(np.int32)

    acc = q(a, scale_A) @ q(b, scale_B)
    return Tensor((acc * (scale_A * scale_B)).astype(np.float32))
