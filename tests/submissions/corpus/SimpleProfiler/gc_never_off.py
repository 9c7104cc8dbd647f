# wrong: the garbage collector may run during the timed calls
# loses: mechanism
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        for _ in range(self.warmup):
            fn(*args, **kwargs)
        gc.collect()  # so that the collector has nothing to do
        walls, cpus = [], []
        for _ in range(self.repeats):
            cpu, start = time.process_time(), time.perf_counter()
            result = fn(*args, **kwargs)
            walls.append(time.perf_counter() - start)
            cpus.append(time.process_time() - cpu)
        traced = tracemalloc.is_tracing()
        if not traced:
            tracemalloc.start()
        try:
            tracemalloc.reset_peak()
            held = tracemalloc.get_traced_memory()[0]
            fn(*args, **kwargs)
            peak = tracemalloc.get_traced_memory()[1] - held
        finally:
            if not traced:
                tracemalloc.stop()
        return result, {
            "wall_time": statistics.median(walls),
            "min_time": min(walls),
            "cpu_time": statistics.median(cpus),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
