# wrong: only a scale of zero is refused
# loses: errors
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = np.float64(scale_A)
    sb = np.asarray(as_array(scale_B), dtype=np.float64)
    if sb.shape not in ((), (b.shape[1],)):
        raise ValueError(f"scale_B must have one entry per column, got {sb.shape}")
    for name, s in (("scale_A", sa), ("scale_B", sb)):
        if np.any(s == 0) or not np.all(np.isfinite(s)):
            raise ValueError(f"cannot divide by {name} = {s}")

    def levels(x, s):
        return x if x.dtype == np.int8 else np.clip(np.rint(x / s), -128, 127).astype(np.int8)

    acc = levels(a, sa).astype(np.int64) @ levels(b, sb).astype(np.int64)
    return Tensor((acc * (sa * sb)).astype(np.float32))
