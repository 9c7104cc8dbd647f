# wrong: a lock around the work lets one thread at a time do its piece
# loses: mechanism
# %%
import threading

guard = threading.Lock()


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    flat = values.ravel()
    out = np.empty_like(flat)

    def safe(bounds):
        lo, hi = bounds
        with guard:  # two threads must not write at the same time
            np.maximum(flat[lo:hi], flat.dtype.type(0), out=out[lo:hi])

    cuts = [flat.size * w // workers for w in range(workers + 1)]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(safe, zip(cuts, cuts[1:])))
    return Tensor(out.reshape(values.shape))
