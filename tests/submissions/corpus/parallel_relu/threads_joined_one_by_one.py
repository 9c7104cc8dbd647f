# wrong: start and join stand in the same loop, only one thread is ever at work
# loses: mechanism
# %%
import threading


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    flat = values.reshape(-1)
    out = np.empty(flat.shape, dtype=flat.dtype)
    zero = flat.dtype.type(0)
    bounds = np.linspace(0, flat.size, workers + 1).astype(int)
    for lo, hi in zip(bounds[:-1], bounds[1:]):
        t = threading.Thread(
            target=np.maximum, args=(flat[lo:hi], zero), kwargs={"out": out[lo:hi]}
        )
        t.start()
        t.join()
    return Tensor(out.reshape(values.shape))
