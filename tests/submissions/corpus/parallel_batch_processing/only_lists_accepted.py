# wrong: asks for the length of the batch, which a generator does not have
# loses: shapes
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    results = [None] * len(batch_data)
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(operation, batch_data[i]) for i in range(len(batch_data))]
        for i, job in enumerate(jobs):
            results[i] = job.result()
    return results
