# wrong: the middle of the list as the calls came, not of the sorted times
# loses: mechanism
# %%
def middle(values):
    return values[len(values) // 2]

# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        enabled, tracing = gc.isenabled(), tracemalloc.is_tracing()
        wall, cpu = [], []
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            gc.disable()
            for _ in range(self.repeats):
                c, w = time.process_time(), time.perf_counter()
                result = fn(*args, **kwargs)
                wall.append(time.perf_counter() - w)
                cpu.append(time.process_time() - c)
            if enabled:
                gc.enable()
            if not tracing:
                tracemalloc.start()
            tracemalloc.reset_peak()
            start_size = tracemalloc.get_traced_memory()[0]
            fn(*args, **kwargs)
            peak = tracemalloc.get_traced_memory()[1] - start_size
        finally:
            if enabled:
                gc.enable()
            if not tracing:
                tracemalloc.stop()
        return result, dict(
            wall_time=middle(wall),
            min_time=min(wall),
            cpu_time=middle(cpu),
            repeats=self.repeats,
            peak_memory=peak,
        )
