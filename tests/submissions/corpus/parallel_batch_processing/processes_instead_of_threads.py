# wrong: a pool of processes, to which a lambda or a nested function cannot be sent
# loses: visible
# %%
from concurrent.futures import ProcessPoolExecutor


def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(operation, batch_data))
