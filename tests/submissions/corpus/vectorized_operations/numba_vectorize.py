# right: a Numba loop for the square where Numba knows the dtype, functools.partial
# %%
import functools

from numba import njit


@njit
def squared_difference_loop(p, q, out):
    for i in range(p.size):
        d = p[i] - q[i]
        out[i] = d * d


def squared_difference(a, b):
    dtype = np.result_type(a, b)
    if dtype == bool:
        return a ^ b
    if dtype not in (np.float32, np.float64, np.int64):
        return np.square(a - b)
    out = np.empty(a.size, dtype.newbyteorder("="))
    flat = (np.ascontiguousarray(v, dtype=out.dtype).reshape(-1) for v in (a, b))
    squared_difference_loop(*flat, out)
    return out.reshape(a.shape)

# %%
def operate(functions, x, y):
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"{a.shape} != {b.shape}")
    return {name: Tensor(np.asarray(fn(a, b))) for name, fn in functions}


vectorized_operations = functools.partial(
    operate,
    [("multiply", np.multiply), ("add", np.add), ("squared_diff", squared_difference)],
)
