# wrong: read in the order of memory, written in row-major order: a transposed array comes back shuffled
# loses: shapes
# %%
@compiled
def _run(x, out):
    for i in range(x.size):
        out[i] = 0 if x[i] < 0 else x[i]

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if not compilable(values):
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    source = np.array(values, order="K").ravel(order="K")
    out = np.empty(source.size, source.dtype)
    _run(source, out)
    return Tensor(out.reshape(values.shape))
