# wrong: peak_memory is what is still held after the call, not the highest point
# loses: mechanism
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        gc_on, traced = gc.isenabled(), tracemalloc.is_tracing()
        walls, cpus = [], []
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            gc.disable()
            for _ in range(self.repeats):
                cpu, start = time.process_time(), time.perf_counter()
                result = fn(*args, **kwargs)
                walls.append(time.perf_counter() - start)
                cpus.append(time.process_time() - cpu)
            if gc_on:
                gc.enable()
            if not traced:
                tracemalloc.start()
            before = tracemalloc.get_traced_memory()
            kept = fn(*args, **kwargs)
            after = tracemalloc.get_traced_memory()
            peak = after[0] - before[0]
            del kept
        finally:
            if gc_on:
                gc.enable()
            if not traced:
                tracemalloc.stop()
        return result, {
            "wall_time": statistics.median(walls),
            "min_time": min(walls),
            "cpu_time": statistics.median(cpus),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
