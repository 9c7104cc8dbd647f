# right: a copy of the levels, a boolean mask, a helper defined after its use
# %%
def quantized_relu(x, scale=1.0):
    scale = check_scale("scale", scale)
    return Tensor(back_to_float(relu_of_levels(quantize(as_array(x), scale)), scale))


def relu_of_levels(q):
    result = np.array(q, copy=True)
    negative = result < 0
    result[negative] = 0
    return result


def back_to_float(q, scale):
    with np.errstate(over="ignore"):
        return np.multiply(q, scale, dtype=np.float64).astype(np.float32) if q.ndim else dequantize(q, scale)
