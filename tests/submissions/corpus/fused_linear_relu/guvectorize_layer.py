# right: guvectorize over the batch, one sample a call
# %%
from numba import guvectorize


@guvectorize(
    [
        "(float32[:], float32[:,:], float32[:], float32[:])",
        "(float64[:], float64[:,:], float64[:], float64[:])",
    ],
    "(k),(k,n),(n)->(n)",
)
def one_sample(x, w, b, y):
    for j in range(y.shape[0]):
        y[j] = b[j]
    for p in range(x.shape[0]):
        for j in range(y.shape[0]):
            y[j] += x[p] * w[p, j]
    for j in range(y.shape[0]):
        if y[j] < 0:
            y[j] = 0

# %%
def fused_linear_relu(x, W, b, num_workers=None):
    a, w = matmul_operands(x, W)
    bias = as_array(b)
    if bias.shape != (w.shape[1],):
        raise ValueError(f"b must be {(w.shape[1],)}, got {bias.shape} for W {w.shape}")
    if not compilable(a, w, bias) or 0 in (*a.shape, *w.shape):
        total = matmul(a, w) + bias
        total[total < 0] = 0
        return Tensor(total)
    dtype = np.result_type(a, w, bias)
    return Tensor(one_sample(a.astype(dtype), w.astype(dtype), bias.astype(dtype)))
