# wrong: the first timed call is the first call of all
# loses: mechanism
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def _once(self, fn, args, kwargs):
        cpu, wall = time.process_time(), time.perf_counter()
        result = fn(*args, **kwargs)
        return result, time.perf_counter() - wall, time.process_time() - cpu

    def profile(self, fn, /, *args, **kwargs):
        collecting, tracing = gc.isenabled(), tracemalloc.is_tracing()
        gc.disable()
        try:
            runs = [self._once(fn, args, kwargs) for _ in range(self.repeats)]
        finally:
            if collecting:
                gc.enable()
        if not tracing:
            tracemalloc.start()
        try:
            tracemalloc.reset_peak()
            now = tracemalloc.get_traced_memory()[0]
            fn(*args, **kwargs)
            peak = tracemalloc.get_traced_memory()[1] - now
        finally:
            if not tracing:
                tracemalloc.stop()
        walls = [run[1] for run in runs]
        return runs[-1][0], {
            "wall_time": statistics.median(walls),
            "min_time": min(walls),
            "cpu_time": statistics.median([run[2] for run in runs]),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
