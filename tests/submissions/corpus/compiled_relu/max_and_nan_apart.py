# right: NaN is asked for by itself, in a compiled function with a typed zero
# %%
import math
from numba import njit


@njit(nogil=True)
def relu_value(v, zero):
    if math.isnan(v):
        return v
    if v > zero:
        return v
    return zero


@njit(nogil=True)
def relu_all(source, out, zero):
    i = 0
    n = source.size
    while i < n:
        out[i] = relu_value(source[i], zero)
        i += 1

# %%
def compiled_relu(x, num_workers=None):
    a = as_array(x)
    kind = a.dtype
    if kind in COMPILED_DTYPES:
        copy = a.flatten()
        out = np.zeros(copy.shape, kind)
        relu_all(copy, out, kind.type(0))
        return Tensor(out.reshape(a.shape))
    positive = np.array(a)
    positive[positive < 0] = 0
    return Tensor(positive)
