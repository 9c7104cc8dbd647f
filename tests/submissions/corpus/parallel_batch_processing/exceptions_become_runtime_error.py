# wrong: whatever the operation raises comes out as a RuntimeError
# loses: errors
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    try:
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(operation, batch_data))
    except Exception as error:
        raise RuntimeError(f"a worker failed: {error}") from error
