# wrong: other dtypes are cast to float32 and stay so
# loses: dtypes
# %%
@compiled
def _relu(x, out):
    for i in range(x.size):
        out[i] = 0 if x[i] < 0 else x[i]

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if not compilable(values):
        values = values.astype(np.float32)
    flat = np.array(values, order="C").reshape(-1)
    out = np.empty_like(flat)
    _relu(flat, out)
    return Tensor(out.reshape(values.shape))
