# wrong: the stop is skipped when fn raises in the memory pass
# loses: errors
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def memory(self, fn, args, kwargs):
        already = tracemalloc.is_tracing()
        if not already:
            tracemalloc.start()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        fn(*args, **kwargs)
        _, peak = tracemalloc.get_traced_memory()
        if not already:
            tracemalloc.stop()
        return peak - before

    def profile(self, fn, /, *args, **kwargs):
        peak = self.memory(fn, args, kwargs)
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
        return result, {
            "wall_time": statistics.median(walls),
            "min_time": min(walls),
            "cpu_time": statistics.median(cpus),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
