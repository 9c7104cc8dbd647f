# wrong: a Tensor of all results, not a list of them
# loses: visible
# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    with ThreadPoolExecutor(workers) as pool:
        return Tensor(np.array(list(pool.map(operation, batch_data))))
