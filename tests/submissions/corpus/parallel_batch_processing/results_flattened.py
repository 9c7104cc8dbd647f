# wrong: results that are lists are joined into one list
# loses: shapes
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    results = []
    with ThreadPoolExecutor(workers) as pool:
        for result in pool.map(operation, batch_data):
            if isinstance(result, (list, tuple)):
                results.extend(result)
            else:
                results.append(result)
    return results
