# wrong: starts one thread per item, however many there are
# loses: mechanism
# %%
import threading


def parallel_batch_processing(batch_data, operation, num_workers=4):
    positive_int("num_workers", num_workers)
    items = list(batch_data)
    results = [None] * len(items)
    errors = []

    def run(index, item):
        try:
            results[index] = operation(item)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(items)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
