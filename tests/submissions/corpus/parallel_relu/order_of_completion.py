# wrong: as_completed joins the pieces in the order in which the threads are done
# loses: values
# %%
from concurrent.futures import as_completed


def parallel_relu(x, num_workers=4):
    values = as_array(x)
    workers = positive_int("num_workers", num_workers)
    zero = values.dtype.type(0)
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(np.maximum, p, zero) for p in np.array_split(values.ravel(), workers)]
        parts = [job.result() for job in as_completed(jobs)]
    return Tensor(np.concatenate(parts).reshape(values.shape))
