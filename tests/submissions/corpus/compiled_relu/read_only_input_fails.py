# wrong: signatures for writable contiguous arrays only, so a read-only or strided x is a TypeError
# loses: shapes
# %%
from numba import njit

@njit(["void(float32[::1], float32[::1])", "void(float64[::1], float64[::1])"])
def strict_loop(x, out):
    for i in range(x.size):
        out[i] = 0 if x[i] < 0 else x[i]

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if not compilable(values):
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    out = np.empty(values.size, values.dtype)
    strict_loop(values if values.ndim == 1 else np.array(values, order="C").reshape(-1), out)
    return Tensor(out.reshape(values.shape))
