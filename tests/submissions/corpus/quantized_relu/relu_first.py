# right: max(x, 0) before quantizing gives the same levels
# %%
def quantized_relu(x, scale=1.0):
    step = check_scale("scale", scale)
    values = as_array(x)
    positive = np.maximum(values, values.dtype.type(0))
    q = quantize(np.asarray(positive), step)
    with np.errstate(over="ignore"):
        return Tensor(np.asarray(q.astype(np.float64) * step, dtype=np.float32))
