# wrong: A and B themselves are divided, rounded and clipped
# loses: dtypes
# %%
def quantize_(x, s):
    if x.dtype == np.int8:
        return x.astype(np.int32)
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    x /= np.asarray(s, x.dtype)
    np.rint(x, out=x)
    np.clip(x, -128, 127, out=x)
    return x.astype(np.int32)

# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    acc = quantize_(a, sa) @ quantize_(b, sb)
    return Tensor((acc * (sa * sb)).astype(np.float32))
