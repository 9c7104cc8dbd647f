# wrong: zero and negative numbers of workers silently become one
# loses: errors
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    with ThreadPoolExecutor(max(1, num_workers)) as pool:
        return list(pool.map(operation, batch_data))
