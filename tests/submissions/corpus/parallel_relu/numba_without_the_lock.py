# right: a compiled loop that lets go of the interpreter's lock, in a pool, along the first axis
# %%
from numba import njit


@njit(nogil=True)
def relu_range(source, target, begin, end):
    for i in range(begin, end):
        v = source[i]
        target[i] = 0 if v < 0 else v


def numpy_range(source, target, begin, end):
    target[begin:end] = np.maximum(source[begin:end], source.dtype.type(0))

# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    flat = np.ascontiguousarray(values).reshape(-1)
    out = np.empty_like(flat)
    known = flat.dtype in (np.float32, np.float64, np.int32, np.int64)
    kernel = relu_range if known and flat.dtype.isnative else numpy_range
    bounds = np.linspace(0, flat.size, workers + 1).astype(int).tolist()
    with ThreadPoolExecutor(workers) as pool:
        tasks = [pool.submit(kernel, flat, out, b, e) for b, e in zip(bounds, bounds[1:]) if b < e]
        for task in tasks:
            task.result()
    return Tensor(out.reshape(values.shape))
