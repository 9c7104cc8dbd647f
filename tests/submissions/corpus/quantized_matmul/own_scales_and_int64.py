# right: NumPy only, its own checks and rounding, int64 product
# %%
def _good_scale(name, value, n=None):
    if isinstance(value, Tensor):
        value = value.data
    s = np.asarray(value)
    if s.dtype.kind not in "iuf":
        raise TypeError(f"{name} is no number: {value!r}")
    s = s.astype(np.float64)
    if s.ndim and (n is None or s.shape != (n,)):
        raise ValueError(f"{name} has shape {s.shape}, that does not fit {n} columns")
    if not np.all(np.isfinite(s) & (s > 0)):
        raise ValueError(f"{name} = {value!r}: every scale must be finite and > 0")
    return s


def _levels(x, s):
    if x.dtype == np.int8:
        return x.astype(np.int64)
    with np.errstate(over="ignore"):
        ratio = x.astype(np.float64) / s
    if np.isnan(ratio).any():
        raise ValueError("cannot quantize NaN")
    return np.clip(np.round(ratio), -128, 127).astype(np.int64)

# %%
def quantized_matmul(A, B, scale_A=1.0, scale_B=1.0):
    a, b = as_array(A), as_array(B)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError("shapes " + repr(a.shape) + " and " + repr(b.shape) + " do not fit")
    s_a = _good_scale("scale_A", scale_A)
    s_b = _good_scale("scale_B", scale_B, b.shape[1])
    acc = _levels(a, s_a) @ _levels(b, s_b)
    with np.errstate(all="ignore"):
        return Tensor((acc * (s_a * s_b)).astype(np.float32))
