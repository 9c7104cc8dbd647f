# wrong: chunks of fixed size with a thread each, far more threads than num_workers
# loses: mechanism
# %%
from threading import Thread

CHUNK = 20_000


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    positive_int("num_workers", num_workers)
    flat = values.ravel()
    out = np.empty_like(flat)

    def work(start):
        part = flat[start : start + CHUNK]
        np.maximum(part, flat.dtype.type(0), out=out[start : start + CHUNK])

    threads = [Thread(target=work, args=(start,)) for start in range(0, flat.size, CHUNK)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return Tensor(out.reshape(values.shape))
