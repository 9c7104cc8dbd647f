# wrong: one pool of four threads for all calls, num_workers is only checked
# loses: mechanism
# %%
POOL = ThreadPoolExecutor(max_workers=4)

# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    positive_int("num_workers", num_workers)
    return list(POOL.map(operation, batch_data))
