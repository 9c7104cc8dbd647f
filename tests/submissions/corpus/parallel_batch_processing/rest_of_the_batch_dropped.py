# wrong: works in groups of num_workers, and the last, smaller group is left out
# loses: shapes
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    size = positive_int("num_workers", num_workers)
    items = list(batch_data)
    results = []
    with ThreadPoolExecutor(size) as pool:
        for group in range(len(items) // size):
            results.extend(pool.map(operation, items[group * size : (group + 1) * size]))
    return results
