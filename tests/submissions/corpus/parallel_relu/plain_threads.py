# right: threading.Thread over index ranges, errors of the threads are raised again
# %%
import sys
import threading

x = rng = expected = lock = None
str = "shadowed"

# %%
def parallel_relu(x, num_workers=4):
    values = as_array(x)
    count = positive_int("num_workers", num_workers)
    flat = values.reshape(-1)
    result = np.empty(flat.size, dtype=flat.dtype)
    problems = []

    def run(begin, end):
        try:
            np.maximum(flat[begin:end], flat.dtype.type(0), out=result[begin:end])
        except BaseException as problem:
            problems.append(problem)

    threads = []
    for i in range(count):
        begin, end = flat.size * i // count, flat.size * (i + 1) // count
        if begin < end:
            threads.append(threading.Thread(target=run, args=(begin, end)))
    print("starting", len(threads), "threads", file=sys.stderr)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return Tensor(result.reshape(values.shape))
