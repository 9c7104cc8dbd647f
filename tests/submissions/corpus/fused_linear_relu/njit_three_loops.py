# right: the sum of one output starts at its bias and ends in the ReLU
# %%
from numba import njit


@njit(nogil=True)
def linear_relu(x, w, b, out):
    zero = out.dtype.type(0)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            total = b[j]
            for p in range(w.shape[0]):
                total += x[i, p] * w[p, j]
            out[i, j] = zero if total < zero else total

# %%
def fused_linear_relu(x, W, b, num_workers=None):
    a, w = matmul_operands(x, W)
    bias = as_array(b)
    if bias.shape != (w.shape[1],):
        raise ValueError(f"bias has shape {bias.shape}, W has shape {w.shape}")
    dtype = np.result_type(a, w, bias)
    if dtype not in (np.float32, np.float64):
        return vectorized_relu(matmul(a, w).astype(dtype) + bias)
    out = np.empty((a.shape[0], w.shape[1]), dtype)
    linear_relu(
        np.array(a, dtype, order="C"),
        np.array(w, dtype, order="C"),
        np.array(bias, dtype, order="C"),
        out,
    )
    return Tensor(out)
