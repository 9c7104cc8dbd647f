# right: float32 BLAS on parts of K that stay below 2**24, summed in int64
# %%
EXACT = 2**24 // (128 * 128)


def chunks(length, size):
    start = 0
    while start < length:
        yield slice(start, start + size)
        start += size

# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa, sb = check_scale("scale_A", scale_A), check_scale("scale_B", scale_B, b.shape[1])
    qa = quantize(a, sa).astype(np.float32)
    qb = quantize(b, sb).astype(np.float32)
    acc = np.zeros((qa.shape[0], qb.shape[1]), np.int64)
    for part in chunks(qa.shape[1], EXACT):
        acc += (qa[:, part] @ qb[part]).astype(np.int64)
    return Tensor(dequantize(acc, np.multiply(sa, sb)))
