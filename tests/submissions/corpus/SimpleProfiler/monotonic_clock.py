# right: time.monotonic, prints what it found, warns on stderr about a coarse clock
# %%
import sys
import warnings

class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        print("profiling", getattr(fn, "__name__", fn))
        gc_on, traced = gc.isenabled(), tracemalloc.is_tracing()
        wall, cpu = [], []
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            for _ in range(self.repeats):
                gc.disable()
                c0, w0 = time.process_time(), time.monotonic()
                result = fn(*args, **kwargs)
                w1, c1 = time.monotonic(), time.process_time()
                if gc_on:
                    gc.enable()
                wall.append(w1 - w0)
                cpu.append(c1 - c0)
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
        if min(wall) < 100 * time.get_clock_info("monotonic").resolution:
            warnings.warn("fn is hardly longer than the clock's step", stacklevel=2)
        print("done", file=sys.stderr)
        return result, {
            "wall_time": statistics.median(wall),
            "min_time": min(wall),
            "cpu_time": statistics.median(cpu),
            "repeats": self.repeats,
            "peak_memory": peak,
            "all_times": wall,
        }
