# right: a table of the 256 possible results, indexed by the level
# %%
def table(step):
    with np.errstate(over="ignore"):
        return np.array([max(q, 0) * step for q in range(-128, 128)]).astype(np.float32)

# %%
def quantized_relu(x, scale=1.0):
    step = check_scale("scale", scale)
    index = quantize(x, step).astype(np.intp) + 128
    return Tensor(np.asarray(np.take(table(step), index)))
