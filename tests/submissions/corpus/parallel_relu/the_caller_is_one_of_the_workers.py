# right: num_workers - 1 threads, and the calling thread takes the last piece
# %%
import threading


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    flat = values.reshape(-1)
    out = np.empty_like(flat)
    zero = flat.dtype.type(0)
    cuts = [flat.size * w // workers for w in range(workers + 1)]

    def share(w):
        mine = slice(cuts[w], cuts[w + 1])
        np.maximum(flat[mine], zero, out=out[mine])

    busy = [w for w in range(workers) if cuts[w] < cuts[w + 1]]
    helpers = [threading.Thread(target=share, args=(w,)) for w in busy[:-1]]
    for helper in helpers:
        helper.start()
    for w in busy[-1:]:
        share(w)
    for helper in helpers:
        helper.join()
    return Tensor(out.reshape(values.shape))
