# right: two context managers, one for the collector and one for tracing
# %%
from contextlib import contextmanager


@contextmanager
def no_collection():
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def traced(record):
    outer = tracemalloc.is_tracing()
    if not outer:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    try:
        yield
        record["peak_memory"] = tracemalloc.get_traced_memory()[1] - before
    finally:
        if not outer:
            tracemalloc.stop()

# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        metrics = {"repeats": self.repeats}
        with traced(metrics):
            fn(*args, **kwargs)
        for _ in range(self.warmup):
            fn(*args, **kwargs)
        wall, cpu = [], []
        with no_collection():
            for _ in range(self.repeats):
                result = None
                c = time.process_time()
                w = time.perf_counter()
                result = fn(*args, **kwargs)
                wall.append(time.perf_counter() - w)
                cpu.append(time.process_time() - c)
        metrics.update(
            wall_time=statistics.median(wall),
            min_time=min(wall),
            cpu_time=statistics.median(cpu),
        )
        return result, metrics
