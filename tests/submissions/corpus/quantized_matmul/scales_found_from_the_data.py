# wrong: computes its own scales max|x| / 127 and ignores those it was given
# loses: values
# %%
def best_scale(x):
    biggest = np.abs(x).max(initial=0)
    return float(biggest) / 127 if biggest > 0 else 1.0

# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    check_scale("scale_A", scale_A)
    check_scale("scale_B", scale_B, b.shape[1])
    sa = scale_A if a.dtype == np.int8 else best_scale(a)
    sb = np.asarray(scale_B) if b.dtype == np.int8 else best_scale(b)
    acc = quantize(a, sa).astype(np.int64) @ quantize(b, sb).astype(np.int64)
    return Tensor((acc * (sa * sb)).astype(np.float32))
