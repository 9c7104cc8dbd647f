# right: multiprocessing's ThreadPool, functools.partial, a decorator that checks
# %%
import functools
from multiprocessing.pool import ThreadPool


def checks_workers(fn):
    @functools.wraps(fn)
    def checked(x, num_workers=4):
        return fn(as_array(x), positive_int("num_workers", num_workers))

    return checked


@checks_workers
def parallel_relu(values, workers):
    relu = functools.partial(np.maximum, values.dtype.type(0))
    pieces = np.array_split(values.ravel(), workers)
    pieces = [piece for piece in pieces if piece.size]
    if len(pieces) < 2:
        return Tensor(np.asarray(relu(values)))
    with ThreadPool(len(pieces)) as pool:
        done = pool.map(relu, pieces, chunksize=1)
    return Tensor(np.concatenate(done).reshape(values.shape))
