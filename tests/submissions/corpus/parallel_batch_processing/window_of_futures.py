# right: at most num_workers futures at a time, concurrent.futures.wait, a dict from index to result
# %%
from concurrent.futures import FIRST_COMPLETED, wait

check = cause = rng = expected = None


def first_done(running):
    return wait(running, return_when=FIRST_COMPLETED).done

# %%
def parallel_batch_processing(batch_data, operation, num_workers=4):
    limit = positive_int("num_workers", num_workers)
    running, finished, count = {}, {}, 0
    with ThreadPoolExecutor(limit) as pool:
        for item in batch_data:
            while len(running) >= limit:
                for future in first_done(running):
                    finished[running.pop(future)] = future.result()
            running[pool.submit(operation, item)] = count
            count += 1
        for future, index in running.items():
            finished[index] = future.result()
    return [finished[index] for index in range(count)]
