# right: num_workers - 1 threads, and the calling thread takes the last piece
# %%
import threading


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    out = np.array(values.reshape(-1), copy=True)
    shares = np.array_split(out, min(workers, max(out.size, 1)))

    def clean(share):
        share[share < 0] = 0

    helpers = [threading.Thread(target=clean, args=(share,)) for share in shares[:-1]]
    for helper in helpers:
        helper.start()
    clean(shares[-1])
    for helper in helpers:
        helper.join()
    return Tensor(out.reshape(values.shape))
