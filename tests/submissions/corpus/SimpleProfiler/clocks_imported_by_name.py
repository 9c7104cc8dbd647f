# right: the clocks are bound when the cell runs, the median is sorted by hand
# %%
from time import perf_counter as now, process_time as cpu_now

# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2, clock=now, cpu_clock=cpu_now):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)
        self.clock, self.cpu_clock = clock, cpu_clock

    @staticmethod
    def median(values):
        ordered = sorted(values)
        n = len(ordered)
        if n % 2 == 1:
            return ordered[n // 2]
        return (ordered[n // 2 - 1] + ordered[n // 2]) / 2

    def profile(self, fn, /, *args, **kwargs):
        gc_was_enabled = gc.isenabled()
        tracing_was_on = tracemalloc.is_tracing()
        try:
            i = 0
            while i < self.warmup:
                fn(*args, **kwargs)
                i += 1

            gc.collect()
            gc.disable()
            all_walls = []
            all_cpus = []
            i = 0
            while i < self.repeats:
                cpu_before = self.cpu_clock()
                before = self.clock()
                result = fn(*args, **kwargs)
                after = self.clock()
                cpu_after = self.cpu_clock()
                all_walls += [after - before]
                all_cpus += [cpu_after - cpu_before]
                i += 1
            if gc_was_enabled:
                gc.enable()

            if not tracing_was_on:
                tracemalloc.start()
            tracemalloc.reset_peak()
            size_before, _ = tracemalloc.get_traced_memory()
            fn(*args, **kwargs)
            _, highest = tracemalloc.get_traced_memory()
        finally:
            if gc_was_enabled:
                gc.enable()
            if tracemalloc.is_tracing() and not tracing_was_on:
                tracemalloc.stop()

        metrics = {}
        metrics["wall_time"] = self.median(all_walls)
        metrics["min_time"] = sorted(all_walls)[0]
        metrics["cpu_time"] = self.median(all_cpus)
        metrics["repeats"] = self.repeats
        metrics["peak_memory"] = highest - size_before
        return result, metrics
