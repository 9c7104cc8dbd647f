# wrong: reads only the futures without an exception, and leaves the others out
# loses: errors
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        pending = [pool.submit(operation, item) for item in batch_data]
    return [future.result() for future in pending if not future.exception()]
