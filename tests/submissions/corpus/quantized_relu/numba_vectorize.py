# right: a Numba ufunc from levels to float32, prints and warns
# %%
import sys
import warnings
from numba import vectorize


@vectorize(["float32(int8, float64)"])
def dequantized_relu(q, step):
    if q > 0:
        return np.float32(q * step)
    return np.float32(0.0)

# %%
def quantized_relu(x, scale=1.0):
    step = check_scale("scale", scale)
    print("step:", step)
    print("note: saturation is silent", file=sys.stderr)
    q = quantize(x, step)
    if (q == 127).any():
        warnings.warn("some values may have saturated", stacklevel=2)
    return Tensor(np.asarray(dequantized_relu(q, step)))
