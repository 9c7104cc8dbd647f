# wrong: the shortcut for an empty batch comes before the check of num_workers
# loses: errors
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    items = list(batch_data)
    if not items:
        return []
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(operation, items))
