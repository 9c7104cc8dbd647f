# right: a plain loop over the levels; `max` and `list` are other things by then
# %%
max = 127
list = "a list"
time = 12.5
A = None
expected = rng = 0

# %%
def quantized_relu(x, scale=1.0):
    step = check_scale("scale", scale)
    levels = quantize(x, step)
    out = np.zeros(levels.shape, dtype=np.float32)
    flat_in = levels.reshape(-1).tolist()
    flat_out = out.reshape(-1)
    for i, q in enumerate(flat_in):
        if q > 0:
            flat_out[i] = min(q, max) * step
    return Tensor(out)
