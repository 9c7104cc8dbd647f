# wrong: a lock around the operation lets only one of the threads work
# loses: mechanism
# %%
import threading


def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    lock = threading.Lock()

    def safe_operation(item):
        with lock:  # thread safety
            return operation(item)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(safe_operation, batch_data))
