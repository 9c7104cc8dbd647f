# right: plain threads that take items from a queue, the first exception is raised again
# %%
import queue
import threading
import time as clock
import sys


def parallel_batch_processing(batch_data, operation, num_workers=4):
    started = clock.perf_counter()
    workers = positive_int("num_workers", num_workers)
    todo = queue.Queue()
    count = 0
    for item in batch_data:
        todo.put((count, item))
        count += 1
    results, errors = [None] * count, []

    def worker():
        while not errors:
            try:
                index, item = todo.get_nowait()
            except queue.Empty:
                break
            try:
                results[index] = operation(item)
            except BaseException as error:
                errors.append(error)

    team = [threading.Thread(target=worker, daemon=True) for _ in range(min(workers, count))]
    for t in team:
        t.start()
    for t in team:
        t.join()
    print("took", clock.perf_counter() - started, "s", file=sys.stderr)
    if errors:
        raise errors[0]
    return results
