# right: perf_counter_ns in a list comprehension, np.median
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        def timed():
            cpu, wall = time.process_time_ns(), time.perf_counter_ns()
            value = fn(*args, **kwargs)
            return time.perf_counter_ns() - wall, time.process_time_ns() - cpu, value

        collecting, tracing = gc.isenabled(), tracemalloc.is_tracing()
        try:
            [fn(*args, **kwargs) for _ in range(self.warmup)]
            gc.disable()
            runs = [timed()[:2] for _ in range(self.repeats)]
            if collecting:
                gc.enable()
            if not tracing:
                tracemalloc.start()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            result = fn(*args, **kwargs)
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            if collecting:
                gc.enable()
            if not tracing:
                tracemalloc.stop()
        wall, cpu = np.array(runs).T * 1e-9
        return result, {
            "wall_time": float(np.median(wall)),
            "min_time": float(wall.min()),
            "cpu_time": float(np.median(cpu)),
            "repeats": len(runs),
            "peak_memory": peak,
            "std": float(wall.std()),
        }
