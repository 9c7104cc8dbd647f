# wrong: `v if v > 0 else 0` turns NaN into 0
# loses: values
# %%
import numba

@numba.njit
def kernel(x, out):
    for i in range(len(x)):
        v = x[i]
        out[i] = v if v > 0 else 0

def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if values.dtype not in (np.float32, np.float64):
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    flat = np.array(values, order="C").reshape(-1)
    out = np.empty_like(flat)
    kernel(flat, out)
    return Tensor(out.reshape(values.shape))
