# right: a thread per item, but started only when a semaphore has a place free
# %%
import threading


class Job(threading.Thread):
    def __init__(self, operation, item, places):
        super().__init__()
        self.operation, self.item, self.places = operation, item, places
        self.result = self.error = None

    def run(self):
        try:
            self.result = self.operation(self.item)
        except BaseException as error:
            self.error = error
        finally:
            self.places.release()

# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    places = threading.BoundedSemaphore(positive_int("num_workers", num_workers))
    jobs = []
    for item in batch_data:
        places.acquire()
        jobs.append(Job(operation, item, places))
        jobs[-1].start()
    for job in jobs:
        job.join()
    for job in jobs:
        if job.error is not None:
            raise job.error
    return [job.result for job in jobs]
