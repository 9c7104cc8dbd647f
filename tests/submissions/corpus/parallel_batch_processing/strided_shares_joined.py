# wrong: worker w takes items w, w + n, w + 2n, and the shares are joined one after the other
# loses: visible, values
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    items = list(batch_data)

    def share(w):
        return [operation(item) for item in items[w::workers]]

    results = []
    with ThreadPoolExecutor(workers) as pool:
        for part in pool.map(share, range(workers)):
            results += part
    return results
