# wrong: inner dimensions that differ are cut to the shorter one
# loses: errors
# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = as_array(A), as_array(B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    qa, qb = quantize(a, sa).astype(np.int64), quantize(b, sb).astype(np.int64)
    k = min(qa.shape[1], qb.shape[0])
    acc = qa[:, :k] @ qb[:k]
    return Tensor((acc * (sa * sb)).astype(np.float32))
