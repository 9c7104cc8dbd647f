# wrong: four elements a step, what is left over at the end stays zero
# loses: shapes
# %%
@compiled
def relu_by_four(x, out):
    for i in range(0, x.size - 3, 4):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        out[i] = 0 if a < 0 else a
        out[i + 1] = 0 if b < 0 else b
        out[i + 2] = 0 if c < 0 else c
        out[i + 3] = 0 if d < 0 else d

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if not compilable(values):
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    flat = np.array(values, order="C").reshape(-1)
    out = np.zeros_like(flat)
    relu_by_four(flat, out)
    return Tensor(out.reshape(values.shape))
