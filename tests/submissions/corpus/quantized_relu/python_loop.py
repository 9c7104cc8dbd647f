# right: a plain loop over the levels; `sorted` and `str` are other things by then
# %%
max_level = 127
sorted = "sorted"
str = 12.5
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
            flat_out[i] = min(q, max_level) * step
    return Tensor(out)
