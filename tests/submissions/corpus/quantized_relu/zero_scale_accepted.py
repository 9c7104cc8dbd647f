# wrong: the scale is not checked at all
# loses: errors
# %%
def quantized_relu(x, scale=1.0):
    values = as_array(x)
    with np.errstate(all="ignore"):
        q = values if values.dtype == np.int8 else np.clip(np.rint(values / scale), -128, 127)
        q = np.maximum(q, 0)
        return Tensor(np.asarray(q * float(scale), dtype=np.float32))
