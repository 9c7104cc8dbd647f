# right: timeit.Timer.repeat times, and switches the collector off by itself
# %%
import timeit
from functools import partial

# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        call = partial(fn, *args, **kwargs)
        cpu, last = [], [None]

        def one_run():
            before = time.process_time()
            last[0] = call()
            cpu.append(time.process_time() - before)

        for _ in range(self.warmup):
            call()
        wall = timeit.Timer(one_run).repeat(repeat=self.repeats, number=1)
        return last[0], {
            "wall_time": statistics.median(wall),
            "min_time": min(wall),
            "cpu_time": statistics.median(cpu),
            "repeats": self.repeats,
            "peak_memory": self.peak(call),
        }

    def peak(self, call):
        started_here = not tracemalloc.is_tracing()
        if started_here:
            tracemalloc.start()
        try:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            call()
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            if started_here:
                tracemalloc.stop()
