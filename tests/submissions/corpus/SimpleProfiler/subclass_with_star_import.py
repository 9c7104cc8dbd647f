# right: a subclass of a helper class, under `from time import *`, so that `time` is a function
# %%
from time import *

rng = "my own rng"
expected = None

# %%
class Stopwatch:
    def __init__(self):
        self.walls, self.cpus = [], []

    def __enter__(self):
        self.c = process_time()
        self.w = perf_counter()
        return self

    def __exit__(self, *exc):
        self.walls.append(perf_counter() - self.w)
        self.cpus.append(process_time() - self.c)
        return False


class BaseProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def peak_of(self, call):
        outer = tracemalloc.is_tracing()
        if not outer:
            tracemalloc.start()
        try:
            tracemalloc.reset_peak()
            start = tracemalloc.get_traced_memory()[0]
            call()
            return tracemalloc.get_traced_memory()[1] - start
        finally:
            if not outer:
                tracemalloc.stop()

# %%
class SimpleProfiler(BaseProfiler):
    def profile(self, fn, /, *args, **kwargs):
        def call():
            return fn(*args, **kwargs)

        for _ in range(self.warmup):
            call()
        watch = Stopwatch()
        was = gc.isenabled()
        try:
            gc.disable()
            for _ in range(self.repeats):
                with watch:
                    out = call()
        finally:
            if was:
                gc.enable()
        return out, {
            "wall_time": statistics.median(watch.walls),
            "min_time": min(watch.walls),
            "cpu_time": statistics.median(watch.cpus),
            "repeats": self.repeats,
            "peak_memory": self.peak_of(call),
        }

# %%
sorted = [1, 2, 3]
sum = 3
str = "text"
