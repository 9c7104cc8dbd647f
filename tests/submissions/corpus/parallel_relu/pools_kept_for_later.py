# right: a pool of every size asked for, kept by lru_cache, and concurrent.futures.wait
# %%
import functools
from concurrent.futures import wait

A = B = x = check = cause = None


@functools.lru_cache(maxsize=None)
def pool_of(size):
    return ThreadPoolExecutor(size, thread_name_prefix=f"relu-{size}")

# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    if values.size < 2 * workers:
        return vectorized_relu(values)
    flat, zero = values.ravel(), values.dtype.type(0)
    out = np.empty(flat.size, dtype=flat.dtype)
    step = -(-flat.size // workers)
    jobs = []
    for start in range(0, flat.size, step):
        part = slice(start, start + step)
        jobs.append(pool_of(workers).submit(np.maximum, flat[part], zero, out[part]))
    for job in wait(jobs).done:
        job.result()
    return Tensor(out.reshape(values.shape))
