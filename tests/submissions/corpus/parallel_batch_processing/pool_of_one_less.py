# wrong: counts the calling thread as a worker, but it only waits
# loses: mechanism
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = max(1, positive_int("num_workers", num_workers) - 1)
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(operation, batch_data))
