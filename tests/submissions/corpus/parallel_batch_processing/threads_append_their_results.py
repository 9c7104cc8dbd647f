# wrong: every thread appends when it is done, so the order depends on who is faster
# loses: visible, values
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    results = []

    def work(item):
        results.append(operation(item))

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, batch_data))
    return results
