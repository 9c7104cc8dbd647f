# wrong: wall_time is the mean, which one slow call drags along
# loses: mechanism
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        gc_was_on, tracing = gc.isenabled(), tracemalloc.is_tracing()
        walls, cpus = [], []
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            gc.disable()
            for _ in range(self.repeats):
                c0, w0 = time.process_time(), time.perf_counter()
                result = fn(*args, **kwargs)
                walls.append(time.perf_counter() - w0)
                cpus.append(time.process_time() - c0)
            if not tracing:
                tracemalloc.start()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            fn(*args, **kwargs)
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            if not tracing:
                tracemalloc.stop()
            if gc_was_on:
                gc.enable()
        return result, {
            "wall_time": sum(walls) / len(walls),
            "min_time": min(walls),
            "cpu_time": sum(cpus) / len(cpus),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
