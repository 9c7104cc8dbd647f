# wrong: the operation is called with lists of items, one for each worker
# loses: visible, values
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    items = list(batch_data)
    chunks = [items[w::workers] for w in range(workers) if items[w::workers]]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(operation, chunks))
