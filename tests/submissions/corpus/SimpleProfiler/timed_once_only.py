# wrong: fn is timed in a single call, whatever repeats says
# loses: mechanism
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        gc_on, traced = gc.isenabled(), tracemalloc.is_tracing()
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            gc.disable()
            cpu = time.process_time()
            start = time.perf_counter()
            result = fn(*args, **kwargs)
            wall = time.perf_counter() - start
            cpu = time.process_time() - cpu
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
            "wall_time": wall,
            "min_time": wall,
            "cpu_time": cpu,
            "repeats": self.repeats,
            "peak_memory": peak,
        }
