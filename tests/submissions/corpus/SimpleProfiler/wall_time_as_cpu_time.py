# wrong: cpu_time is read from the wall clock, so sleeping costs processor time
# loses: mechanism
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        gc_on = gc.isenabled()
        traced = tracemalloc.is_tracing()
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            gc.disable()
            walls, cpus = [], []
            for _ in range(self.repeats):
                start_cpu = time.perf_counter()
                start_wall = time.perf_counter()
                result = fn(*args, **kwargs)
                walls.append(time.perf_counter() - start_wall)
                cpus.append(time.perf_counter() - start_cpu)
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
            "wall_time": statistics.median(walls),
            "min_time": min(walls),
            "cpu_time": statistics.median(cpus),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
