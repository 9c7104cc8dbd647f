# wrong: the list of times belongs to the profiler and grows, so a second profile mixes two functions
# loses: mechanism
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)
        self.wall_times = []
        self.cpu_times = []

    def run_once(self, fn, args, kwargs):
        cpu = time.process_time()
        start = time.perf_counter()
        result = fn(*args, **kwargs)
        self.wall_times.append(time.perf_counter() - start)
        self.cpu_times.append(time.process_time() - cpu)
        return result

    def profile(self, fn, /, *args, **kwargs):
        gc_on, traced = gc.isenabled(), tracemalloc.is_tracing()
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            gc.disable()
            for _ in range(self.repeats):
                result = self.run_once(fn, args, kwargs)
            if not traced:
                tracemalloc.start()
            tracemalloc.reset_peak()
            held = tracemalloc.get_traced_memory()[0]
            fn(*args, **kwargs)
            peak = tracemalloc.get_traced_memory()[1] - held
        finally:
            if gc_on:
                gc.enable()
            if not traced:
                tracemalloc.stop()
        return result, {
            "wall_time": statistics.median(self.wall_times),
            "min_time": min(self.wall_times),
            "cpu_time": statistics.median(self.cpu_times),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
