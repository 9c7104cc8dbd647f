# wrong: the results come as a tuple
# loses: visible
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        return tuple(pool.map(operation, batch_data))
