# wrong: `scale <= 0` is False for NaN, so a NaN scale goes through
# loses: errors
# %%
def q(x, s):
    if x.dtype == np.int8:
        return x.astype(np.int64)
    return np.nan_to_num(np.clip(np.round(x / s), -128, 127)).astype(np.int64)

# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sb = np.asarray(scale_B.data if isinstance(scale_B, Tensor) else scale_B, dtype=np.float64)
    if sb.ndim and sb.shape != (b.shape[1],):
        raise ValueError(f"scale_B has shape {sb.shape}, expected ({b.shape[1]},)")
    if scale_A <= 0 or scale_A == np.inf:
        raise ValueError(f"scale_A must be positive, got {scale_A}")
    if np.any(sb <= 0) or np.any(sb == np.inf):
        raise ValueError(f"scale_B must be positive, got {scale_B}")
    acc = q(a, float(scale_A)) @ q(b, sb)
    return Tensor((acc * (scale_A * sb)).astype(np.float32))
