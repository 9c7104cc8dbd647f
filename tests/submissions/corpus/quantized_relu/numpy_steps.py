# right: NumPy only, its own scale check, float64 throughout
# %%
import math


def quantized_relu(x, scale=1.0):
    if isinstance(scale, (Tensor, np.ndarray)):
        scale = scale.item()
    if isinstance(scale, bool) or not isinstance(scale, (int, float, np.number)):
        raise TypeError(f"scale must be a number, got {scale!r}")
    step = float(scale)
    if not math.isfinite(step) or step <= 0.0:
        raise ValueError(f"scale must be a finite number above 0, got {scale}")

    values = as_array(x)
    if values.dtype == np.int8:
        levels = values.astype(np.float64)
    else:
        with np.errstate(over="ignore"):
            levels = np.rint(values.astype(np.float64) / step)
        if np.isnan(levels).any():
            raise ValueError("NaN has no int8 level")
    kept = np.minimum(np.maximum(levels, 0.0), 127.0)
    with np.errstate(over="ignore"):
        return Tensor(np.asarray(kept * step, dtype=np.float32))
