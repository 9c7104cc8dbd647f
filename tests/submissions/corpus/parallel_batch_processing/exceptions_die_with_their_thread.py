# wrong: plain threads, whose exceptions never reach the caller
# loses: errors
# %%
import queue
import threading


def parallel_batch_processing(batch_data, operation, num_workers=4):
    workers = positive_int("num_workers", num_workers)
    todo = queue.Queue()
    items = list(batch_data)
    for pair in enumerate(items):
        todo.put(pair)
    results = [None] * len(items)

    def worker():
        while True:
            try:
                index, item = todo.get_nowait()
            except queue.Empty:
                return
            results[index] = operation(item)

    team = [threading.Thread(target=worker) for _ in range(min(workers, len(items)))]
    for t in team:
        t.start()
    for t in team:
        t.join()
    return results
