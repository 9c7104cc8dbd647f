# right: a list of futures, own check of num_workers, prints and warnings, shadowed names
# %%
import warnings

x = rng = expected = items = batch = None
str = "shadowed"
sorted = [3, 1, 2]


def check_workers(n):
    try:
        is_whole = n == int(n)
    except (TypeError, ValueError):
        raise TypeError(f"num_workers must be a number, got {n!r}")
    if not is_whole or n < 1:
        raise ValueError(f"num_workers must be a whole number of at least 1, got {n!r}")
    return int(n)

# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = check_workers(num_workers)
    batch = [item for item in batch_data]
    if len(batch) == 0:
        warnings.warn("empty batch", stacklevel=2)
        return []
    print(f"{len(batch)} items for {workers} workers")
    pool = ThreadPoolExecutor(workers)
    try:
        futures_list = []
        for item in batch:
            futures_list.append(pool.submit(operation, item))
        return [f.result() for f in futures_list]
    finally:
        pool.shutdown(wait=True)
