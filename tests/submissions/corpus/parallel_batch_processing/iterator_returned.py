# wrong: the iterator of pool.map, not a list
# loses: visible
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        return pool.map(operation, batch_data)
