# right: a Numba ufunc, which knows shapes and memory orders by itself
# %%
from numba import vectorize


@vectorize(["float32(float32)", "float64(float64)"], nopython=True)
def relu_element(v):
    # NaN < 0 is False
    if v < 0:
        return 0
    return v

# %%
def compiled_relu(x):
    values = as_array(x)
    if values.dtype in (np.dtype("float32"), np.dtype("float64")):
        return Tensor(np.asarray(relu_element(values)))
    return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
