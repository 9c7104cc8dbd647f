# wrong: with K = 0 there is no first product to start from
# loses: shapes
# %%
from functools import reduce

def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    qa, qb = quantize(a, sa), quantize(b, sb)
    step = 100
    parts = [
        qa[:, p : p + step].astype(np.int64) @ qb[p : p + step].astype(np.int64)
        for p in range(0, qa.shape[1], step)
    ]
    acc = reduce(np.add, parts)
    return Tensor((acc * (sa * sb)).astype(np.float32))
