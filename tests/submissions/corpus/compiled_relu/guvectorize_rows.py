# right: guvectorize over the last axis, prints and warns on the way
# %%
import sys
import warnings
from numba import guvectorize

x = y = expected = None
str = "shadowed"

# %%
@guvectorize(["(float32[:], float32[:])", "(float64[:], float64[:])"], "(n)->(n)")
def relu_row(row, out):
    for i in range(row.shape[0]):
        value = row[i]
        out[i] = value if not (value < 0) else 0

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    print("relu of", values.shape)
    if not compilable(values):
        warnings.warn(f"{values.dtype} is not compiled", stacklevel=2)
        print("falling back to NumPy", file=sys.stderr)
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    at_least_1d = values[np.newaxis] if values.ndim == 0 else values
    return Tensor(relu_row(at_least_1d).reshape(values.shape))
