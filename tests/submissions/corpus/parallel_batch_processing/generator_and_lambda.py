# right: a lambda over a generator that submits everything and yields in order
# %%
def results_in_order(pool, operation, batch):
    pending = [pool.submit(operation, item) for item in batch]
    pending.reverse()
    while pending:
        yield pending.pop().result()


def run(batch, operation, workers):
    with ThreadPoolExecutor(workers) as pool:
        return [*results_in_order(pool, operation, batch)]

# %%
parallel_batch_processing = lambda batch_data, operation, num_workers=4, executor=None: run(
    batch_data, operation, positive_int("num_workers", num_workers)
)
