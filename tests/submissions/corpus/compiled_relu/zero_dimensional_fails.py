# wrong: the kernel needs a length, which a 0-d array does not have
# loses: shapes
# %%
@compiled
def relu_rows(x, out):
    for i in range(len(x)):
        out[i] = 0 if x[i] < 0 else x[i]

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if not compilable(values):
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    out = np.empty(values.shape, values.dtype)
    if values.ndim > 1:
        flat = out.reshape(-1)
        relu_rows(np.array(values, order="C").reshape(-1), flat)
    else:
        relu_rows(np.array(values), out)
    return Tensor(out)
