# wrong: a dict from items to results merges equal items, and arrays cannot be its keys
# loses: values
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        pending = {item: pool.submit(operation, item) for item in batch_data}
    return [future.result() for future in pending.values()]
