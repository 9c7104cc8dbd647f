# right: multiprocessing's ThreadPool, a class with __call__
# %%
from multiprocessing.pool import ThreadPool


class BatchProcessor:
    """Applies an operation to every item of a batch."""

    def __call__(self, batch_data, operation, num_workers=4):
        workers = positive_int("num_workers", num_workers)
        items = list(batch_data)
        if not items:
            return []
        with ThreadPool(min(workers, len(items))) as pool:
            return list(pool.imap(operation, items, chunksize=1))


parallel_batch_processing = BatchProcessor()
