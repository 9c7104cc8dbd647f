# wrong: what fn raises is printed and the result is None
# loses: errors
# %%
class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(self, fn, /, *args, **kwargs):
        gc_on, traced = gc.isenabled(), tracemalloc.is_tracing()
        walls, cpus, result, peak = [], [], None, 0
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            gc.disable()
            for _ in range(self.repeats):
                cpu, start = time.process_time(), time.perf_counter()
                result = fn(*args, **kwargs)
                walls.append(time.perf_counter() - start)
                cpus.append(time.process_time() - cpu)
            if not traced:
                tracemalloc.start()
            tracemalloc.reset_peak()
            held = tracemalloc.get_traced_memory()[0]
            fn(*args, **kwargs)
            peak = tracemalloc.get_traced_memory()[1] - held
        except Exception as e:
            print("fn failed:", e)
        finally:
            if gc_on:
                gc.enable()
            if not traced and tracemalloc.is_tracing():
                tracemalloc.stop()
        return result, {
            "wall_time": statistics.median(walls or [0.0]),
            "min_time": min(walls or [0.0]),
            "cpu_time": statistics.median(cpus or [0.0]),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
