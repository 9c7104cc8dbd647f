# wrong: the result is an ndarray
# loses: visible
# %%
from numba import vectorize

@vectorize(["float32(float32)", "float64(float64)"])
def relu_ufunc(v):
    return 0 if v < 0 else v

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if values.dtype not in COMPILED_DTYPES:
        return np.asarray(np.maximum(values, values.dtype.type(0)))
    return np.asarray(relu_ufunc(values))
