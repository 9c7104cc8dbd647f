# right: pool.map, read to the end
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4, executor=None):
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(operation, batch_data))
