# wrong: an exception is put into the list of results instead of being raised
# loses: errors
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(operation, item) for item in batch_data]
    return [job.exception() or job.result() for job in jobs]
