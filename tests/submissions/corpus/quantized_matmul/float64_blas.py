# right: float64 holds every sum exactly, so BLAS may do it; prints and warns
# %%
import sys
import warnings

A = "not a matrix"
expected = 3
scale = None

# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    """Exact as long as K * 2**14 < 2**53."""
    a, b = matmul_operands(A, B)
    sa = check_scale("scale_A", scale_A)
    sb = check_scale("scale_B", scale_B, b.shape[1])
    print("quantized_matmul", a.shape, b.shape)
    if a.shape[1] > 100_000:
        warnings.warn(f"K = {a.shape[1]} is long", stacklevel=2)
    print("scales", sa, np.shape(sb), file=sys.stderr)
    qa = quantize(a, sa).astype(float)
    qb = quantize(b, sb).astype(float)
    sums = np.dot(qa, qb)
    sums *= np.multiply(sa, sb)
    with np.errstate(over="ignore"):
        return Tensor(sums.astype("float32"))
