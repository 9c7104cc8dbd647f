# wrong: num_workers never reaches the pool, which takes its own default
# loses: mechanism
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    positive_int("num_workers", num_workers)
    with ThreadPoolExecutor() as pool:
        return list(pool.map(operation, batch_data))
