# wrong: wall_time and min_time are processor time, which waiting does not cost
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
            samples = np.empty(self.repeats)
            for i in range(self.repeats):
                begin = time.process_time()
                result = fn(*args, **kwargs)
                samples[i] = time.process_time() - begin
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
            "wall_time": float(np.median(samples)),
            "min_time": float(samples.min()),
            "cpu_time": float(np.median(samples)),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
