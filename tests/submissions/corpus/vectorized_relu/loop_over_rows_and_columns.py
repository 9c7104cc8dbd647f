# wrong: 2-D input is done by two nested Python loops
# loses: mechanism
# %%
def vectorized_relu(x):
    values = as_array(x)
    out = np.maximum(values, values.dtype.type(0))
    if values.ndim == 2:
        out = np.zeros_like(values)
        rows, cols = values.shape
        for r in range(rows):
            for c in range(cols):
                out[r, c] = np.maximum(values[r, c], values.dtype.type(0))
    return Tensor(out)
