# wrong: everything is computed in float32 and cast back, so float64 loses digits
# loses: dtypes
# %%
@compiled
def relu32(x, out):
    for i in range(x.size):
        v = x[i]
        out[i] = v
        if v < 0:
            out[i] = 0

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if values.dtype not in COMPILED_DTYPES:
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    flat = np.array(values, dtype=np.float32, order="C").reshape(-1)
    out = np.empty(flat.size, np.float32)
    relu32(flat, out)
    return Tensor(out.astype(values.dtype).reshape(values.shape))
