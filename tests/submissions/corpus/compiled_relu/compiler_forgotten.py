# wrong: the loop runs in Python, the decorator is missing
# loses: mechanism
# %%
def relu_loop(source, target):
    zero = source.dtype.type(0)
    for i in range(source.size):
        value = source[i]
        target[i] = zero if value < zero else value


def compiled_relu(x, num_workers=None):
    values = as_array(x)
    if values.dtype not in COMPILED_DTYPES:
        return Tensor(np.asarray(np.maximum(values, values.dtype.type(0))))
    flat = np.ascontiguousarray(values).reshape(-1)
    out = np.empty_like(flat)
    relu_loop(flat, out)
    return Tensor(out.reshape(values.shape))
