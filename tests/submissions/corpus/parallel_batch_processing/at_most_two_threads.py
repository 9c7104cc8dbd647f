# wrong: the pool is capped at two threads, because the laptop has two cores
# loses: mechanism
# %%
CORES = 2


def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = min(positive_int("num_workers", num_workers), CORES)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(operation, batch_data))
