# wrong: the warm-up calls are timed with the others, so the minimum and the median see them
# loses: mechanism
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        collecting = gc.isenabled()
        tracing = tracemalloc.is_tracing()
        times, cpu_times = [], []
        try:
            gc.disable()
            # warm up first, then measure
            for i in range(self.warmup + self.repeats):
                cpu0 = time.process_time()
                t0 = time.perf_counter()
                result = fn(*args, **kwargs)
                t1 = time.perf_counter()
                times.append(t1 - t0)
                cpu_times.append(time.process_time() - cpu0)
            if not tracing:
                tracemalloc.start()
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            fn(*args, **kwargs)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            if collecting:
                gc.enable()
            if not tracing:
                tracemalloc.stop()
        metrics = {
            "wall_time": statistics.median(times),
            "min_time": min(times),
            "cpu_time": statistics.median(cpu_times),
            "repeats": self.repeats,
            "peak_memory": peak - before,
        }
        return result, metrics
