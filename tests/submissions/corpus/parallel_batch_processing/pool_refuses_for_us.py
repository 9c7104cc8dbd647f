# wrong: a bad num_workers is left to the pool, whose message does not say what was received
# loses: errors
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    with ThreadPoolExecutor(max_workers=num_workers) as pool:
        return list(pool.map(operation, batch_data))
