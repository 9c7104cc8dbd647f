# wrong: x * (x > 0) makes NaN of -inf
# loses: values
# %%
@compiled
def relu_mask(x, out):
    for i in range(x.size):
        out[i] = x[i] * (x[i] > 0)

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if values.dtype not in COMPILED_DTYPES:
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    source = np.array(values, order="C").ravel()
    target = np.zeros_like(source)
    relu_mask(source, target)
    return Tensor(target.reshape(values.shape))
