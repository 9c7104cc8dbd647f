# wrong: peak_memory is the size of the result, temporaries are not seen
# loses: mechanism
# %%
import sys

class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        gc_on = gc.isenabled()
        walls, cpus = [], []
        for _ in range(self.warmup):
            fn(*args, **kwargs)
        gc.disable()
        try:
            for _ in range(self.repeats):
                cpu, start = time.process_time(), time.perf_counter()
                result = fn(*args, **kwargs)
                walls.append(time.perf_counter() - start)
                cpus.append(time.process_time() - cpu)
        finally:
            if gc_on:
                gc.enable()
        again = fn(*args, **kwargs)
        peak = getattr(again, "nbytes", None) or sys.getsizeof(again)
        return result, {
            "wall_time": statistics.median(walls),
            "min_time": min(walls),
            "cpu_time": statistics.median(cpus),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
