# wrong: results such as 0 and None are taken for missing
# loses: values
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        outputs = list(pool.map(operation, batch_data))
    return [out for out in outputs if out is not None and out is not False and out != 0]
