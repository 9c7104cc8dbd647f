# wrong: raises only if all entries of scale_B are bad
# loses: errors
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = np.asarray(as_array(scale_B), dtype=np.float64)
    if sb.ndim and sb.shape != (b.shape[1],):
        raise ValueError(f"scale_B: one number or {b.shape[1]} of them, got shape {sb.shape}")
    if not (np.isfinite(sb) & (sb > 0)).any() and sb.size:
        raise ValueError(f"scale_B must be finite and positive, got {scale_B}")

    def levels(x, s):
        with np.errstate(all="ignore"):
            return x if x.dtype == np.int8 else np.clip(np.rint(x / s), -128, 127).astype(np.int8)

    acc = levels(a, sa).astype(np.int64) @ levels(b, sb).astype(np.int64)
    return Tensor((acc * (sa * sb)).astype(np.float32))
