# wrong: the pool is as small as the batch, and a pool of 0 threads is an error
# loses: shapes
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    items = list(batch_data)
    workers = min(positive_int("num_workers", num_workers), len(items))
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(operation, items))
