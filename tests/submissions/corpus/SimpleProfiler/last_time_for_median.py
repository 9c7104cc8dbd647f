# wrong: wall_time is the time of the last call
# loses: mechanism
# %%
class SimpleProfiler:
    """Times fn several times."""

    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        was_enabled = gc.isenabled()
        was_tracing = tracemalloc.is_tracing()
        fastest = float("inf")
        cpu_times = []
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            gc.disable()
            for _ in range(self.repeats):
                cpu = time.process_time()
                start = time.perf_counter()
                result = fn(*args, **kwargs)
                elapsed = time.perf_counter() - start
                cpu_times.append(time.process_time() - cpu)
                if elapsed < fastest:
                    fastest = elapsed
            if was_enabled:
                gc.enable()
            tracemalloc.start()
            tracemalloc.reset_peak()
            base, _ = tracemalloc.get_traced_memory()
            fn(*args, **kwargs)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            if was_enabled:
                gc.enable()
            if not was_tracing:
                tracemalloc.stop()
        metrics = {}
        metrics["wall_time"] = elapsed
        metrics["min_time"] = fastest
        metrics["cpu_time"] = statistics.median(cpu_times)
        metrics["repeats"] = self.repeats
        metrics["peak_memory"] = peak - base
        return result, metrics
