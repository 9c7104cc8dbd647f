# wrong: NumPy's own message about the inner dimensions, which names neither shape
# loses: errors
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = as_array(A), as_array(B)
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"2-D only, got {a.shape} and {b.shape}")
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    acc = quantize(a, sa).astype(np.int64) @ quantize(b, sb).astype(np.int64)
    return Tensor((acc * (sa * sb)).astype(np.float32))
