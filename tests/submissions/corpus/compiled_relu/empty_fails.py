# wrong: a shortcut looks at the smallest entry, which an empty array does not have
# loses: shapes
# %%
@compiled
def loop(x, out):
    for i in range(x.size):
        out[i] = 0 if x[i] < 0 else x[i]

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if values.min() >= 0:  # nothing to do
        return Tensor(np.array(values))
    if not compilable(values):
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    flat = np.array(values, order="C").reshape(-1)
    out = np.empty_like(flat)
    loop(flat, out)
    return Tensor(out.reshape(values.shape))
