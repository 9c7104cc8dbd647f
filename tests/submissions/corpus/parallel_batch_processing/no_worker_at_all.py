# wrong: with num_workers below 1 no thread is started, and every result is None
# loses: errors
# %%
import queue
import threading


def parallel_batch_processing(batch_data, operation, num_workers=4):
    items = list(batch_data)
    results, errors = [None] * len(items), []
    todo = queue.Queue()
    for i in range(len(items)):
        todo.put(i)

    def work():
        while True:
            try:
                i = todo.get_nowait()
            except queue.Empty:
                return
            try:
                results[i] = operation(items[i])
            except Exception as e:
                errors.append(e)

    threads = [threading.Thread(target=work) for _ in range(num_workers)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
    return results
