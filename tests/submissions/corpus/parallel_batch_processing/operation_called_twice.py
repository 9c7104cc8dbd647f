# wrong: the pool runs everything, then the results are computed again in order
# loses: values
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    items = list(batch_data)
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            pool.submit(operation, item)
    return [operation(item) for item in items]
