# wrong: the kernel writes zeros into x itself, the result shares its memory
# loses: dtypes
# %%
@compiled
def relu_(x):
    for i in range(x.size):
        if x[i] < 0:
            x[i] = 0

# %%
def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if values.dtype not in COMPILED_DTYPES:
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    flat = np.require(values, requirements=["C", "W"]).reshape(-1)
    relu_(flat)
    return Tensor(flat.reshape(values.shape))
