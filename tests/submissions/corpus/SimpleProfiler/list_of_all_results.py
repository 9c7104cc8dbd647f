# wrong: the results of all timed calls come back in a list
# loses: visible, values
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        gc_on, traced = gc.isenabled(), tracemalloc.is_tracing()
        walls, cpus, results = [], [], []
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            gc.disable()
            for _ in range(self.repeats):
                cpu, start = time.process_time(), time.perf_counter()
                result = fn(*args, **kwargs)
                walls.append(time.perf_counter() - start)
                cpus.append(time.process_time() - cpu)
                results.append(result)
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
        return results, {
            "wall_time": statistics.median(walls),
            "min_time": min(walls),
            "cpu_time": statistics.median(cpus),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
