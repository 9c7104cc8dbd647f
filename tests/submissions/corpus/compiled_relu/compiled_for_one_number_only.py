# wrong: the compiled function works on one number, the loop around it is Python's
# loses: mechanism
# %%
from numba import njit

@njit
def relu_one(v):
    return 0.0 if v < 0 else v

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if values.dtype not in COMPILED_DTYPES:
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    out = np.zeros(values.shape, values.dtype)
    for place in np.ndindex(values.shape):
        out[place] = relu_one(values[place])
    return Tensor(out)
