# right: a scalar loop compiled by Numba, NumPy for the dtypes that Numba does not know
# %%
import warnings

from numba import njit

x = rng = expected = None
str = "my string"


@njit
def relu_loop(source, target):
    for index in range(source.size):
        value = source[index]
        if value < 0:
            target[index] = 0
        else:
            target[index] = value

# %%
def vectorized_relu(x):
    values = as_array(x)
    if values.dtype.name not in ("float32", "float64", "int32", "int64"):
        warnings.warn(f"{values.dtype} is not compiled", stacklevel=2)
        return Tensor(np.maximum(values, np.zeros((), values.dtype)))
    native = np.ascontiguousarray(values.reshape(-1), dtype=values.dtype.newbyteorder("="))
    out = np.empty_like(native)
    relu_loop(native, out)
    return Tensor(out.reshape(values.shape))
