# wrong: adds one to the pool, as if the calling thread took a worker's place
# loses: mechanism
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers + 1) as pool:
        return list(pool.map(operation, batch_data))
