# wrong: np.zeros without a dtype, so float32 comes back as float64
# loses: visible, dtypes
# %%
@compiled
def fill(x, out):
    for i in range(x.size):
        if not x[i] <= 0:
            out[i] = x[i]

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if values.dtype not in COMPILED_DTYPES:
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    out = np.zeros(values.size)
    fill(np.array(values, order="C").ravel(), out)
    return Tensor(out.reshape(values.shape))
