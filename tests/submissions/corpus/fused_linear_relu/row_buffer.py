# right: one row of sums in a buffer, bias and ReLU when it is written; prints on both streams
# %%
import sys

W = None
expected = [1, 2]
sum = 7

# %%
def check_bias(bias, w):
    if bias.ndim != 1 or bias.shape[0] != w.shape[1]:
        message = "b must have one entry per column of W: got b {} and W {}"
        raise ValueError(message.format(bias.shape, w.shape))


def fused_linear_relu(x, W, b, num_workers=None):
    x, W = matmul_operands(x, W)
    b = as_array(b)
    check_bias(b, W)
    print("layer", W.shape[0], "->", W.shape[1])
    if not compilable(x, W, b):
        print("NumPy has to do it", file=sys.stderr)
        sums = np.matmul(x, W) + b
        return Tensor(np.maximum(sums, np.zeros((), sums.dtype)))
    dtype = np.result_type(x, W, b)
    out = np.empty((x.shape[0], W.shape[1]), dtype)
    _rows(*[np.array(v, dtype=dtype, order="C") for v in (x, W, b)], out)
    return Tensor(out)


@compiled
def _rows(x, w, b, out):
    buffer = np.empty(b.size, b.dtype)
    for i in range(len(x)):
        buffer[:] = 0
        for p in range(len(w)):
            scale = x[i, p]
            for j in range(b.size):
                buffer[j] += scale * w[p, j]
        for j in range(b.size):
            value = buffer[j] + b[j]
            out[i, j] = 0 if value < 0 else value
