# right: worker w takes the elements w, w + n, w + 2n of the flat array, a list for the results
# %%
import threading
import warnings


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    n = positive_int("num_workers", num_workers)
    if n > 64:
        warnings.warn(f"{n} threads, really?", stacklevel=2)
    flat = values.flatten()
    n = min(n, max(flat.size, 1))
    results = [None] * n

    def work(w):
        results[w] = np.maximum(flat[w::n], flat.dtype.type(0))

    threads = [threading.Thread(target=work, args=(w,)) for w in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for w, share in enumerate(results):
        flat[w::n] = share
    return Tensor(flat.reshape(values.shape))
