# right: the collector is held off by a threshold of zero instead of gc.disable
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        thresholds = gc.get_threshold()
        was_tracing = tracemalloc.is_tracing()
        times = []
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            gc.set_threshold(0)  # 0 means: never collect by yourself
            for _ in range(self.repeats):
                c, w = time.process_time(), time.perf_counter()
                result = fn(*args, **kwargs)
                times.append((time.perf_counter() - w, time.process_time() - c))
            gc.set_threshold(*thresholds)
            if not was_tracing:
                tracemalloc.start()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            fn(*args, **kwargs)
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            gc.set_threshold(*thresholds)
            if not was_tracing:
                tracemalloc.stop()
        walls, cpus = zip(*times)
        return result, {
            "wall_time": statistics.median(walls),
            "min_time": min(walls),
            "cpu_time": statistics.median(cpus),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
