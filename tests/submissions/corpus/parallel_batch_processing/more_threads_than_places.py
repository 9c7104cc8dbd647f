# right: twice as many threads as workers, a semaphore lets num_workers of them call the operation
# %%
import sys
import threading


def limited(operation, places):
    def call(item):
        with places:
            return operation(item)

    return call

# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    gated = limited(operation, threading.Semaphore(workers))
    print("up to", workers, "at a time", file=sys.stderr)
    with ThreadPoolExecutor(2 * workers) as pool:
        return [job.result() for job in [pool.submit(gated, item) for item in batch_data]]
