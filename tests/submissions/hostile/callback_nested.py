# base: garbage
# The operation is called with functions, itself, answers, recursive lists and the callers of callers.
# class: callbacks
# gains: code of the student's that the judge runs or compares with
# ends: graded | timeout
# safe_in_process: yes

# %% after setup_checks
class Odd:
    def __eq__(self, other):
        return True

    def __call__(self, *args):
        return 0

    def __iter__(self):
        return iter(range(10**9))

    def __mul__(self, other):
        return self

    __hash__ = None


# %% parallel_batch_processing
#| export
def parallel_batch_processing(batch_data, operation, num_workers=4, executor=None):
    heard = [7]
    for odd in (operation, Odd(), parallel_batch_processing, [operation], {"a": Odd()}, 10**4000):
        try:
            operation(odd)
        except BaseException as error:
            heard.append(repr(error))
    return heard


# %% SimpleProfiler
#| export
class SimpleProfiler:
    def profile(self, fn, *args, **kwargs):
        return fn(self, fn, profiler=self.profile), {"repeats": fn, "wall_time": self}
