# wrong: as_completed gives the results as they are ready, not in the order of the items
# loses: visible, values
# %%
from concurrent.futures import as_completed


def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        pending = [pool.submit(operation, item) for item in batch_data]
        return [future.result() for future in as_completed(pending)]
