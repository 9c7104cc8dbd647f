# right: three plain Numba loops over int8 with an int64 sum
# %%
import numba


@numba.njit
def _dot_levels(qa, qb, acc):
    for i in range(qa.shape[0]):
        for j in range(qb.shape[1]):
            s = 0
            for p in range(qa.shape[1]):
                s += np.int64(qa[i, p]) * np.int64(qb[p, j])
            acc[i, j] = s

# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    # copies in one memory order, so that one compiled version is enough
    qa = np.array(quantize(a, sa), order="C")
    qb = np.array(quantize(b, sb), order="C")
    acc = np.zeros((qa.shape[0], qb.shape[1]), np.int64)
    _dot_levels(qa, qb, acc)
    with np.errstate(all="ignore"):
        factor = np.multiply(sa, sb)
    return Tensor(np.multiply(acc, factor).astype(np.float32))
