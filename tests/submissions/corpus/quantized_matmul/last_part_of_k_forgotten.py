# wrong: a long K is cut into whole parts of 1024, what is left over is not summed
# loses: shapes
# %%
PART = 1024

def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    qa, qb = quantize(a, sa, dtype=np.float32), quantize(b, sb, dtype=np.float32)
    k = a.shape[1]
    if k <= PART:
        acc = (qa @ qb).astype(np.float64)
    else:
        acc = np.zeros((len(a), b.shape[1]))
        for part in range(k // PART):
            here = slice(part * PART, (part + 1) * PART)
            acc += qa[:, here] @ qb[here]
    return Tensor((acc * (sa * sb)).astype(np.float32))
