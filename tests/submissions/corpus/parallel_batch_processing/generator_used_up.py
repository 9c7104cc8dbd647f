# wrong: counts the items first, after which nothing is left of a generator
# loses: shapes
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    count = sum(1 for _ in batch_data)
    if count == 0:
        return []
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(operation, batch_data))
