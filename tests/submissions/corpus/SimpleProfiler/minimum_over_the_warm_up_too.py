# wrong: min_time is the least of all calls, the untimed warm-up calls among them
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
            every_call, walls, cpus = [], [], []
            for _ in range(self.warmup):
                start = time.perf_counter()
                fn(*args, **kwargs)
                every_call.append(time.perf_counter() - start)
            gc.disable()
            for _ in range(self.repeats):
                start_cpu = time.process_time()
                start_wall = time.perf_counter()
                result = fn(*args, **kwargs)
                walls.append(time.perf_counter() - start_wall)
                cpus.append(time.process_time() - start_cpu)
                every_call.append(walls[-1])
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
            "wall_time": statistics.median(walls),
            "min_time": min(every_call),
            "cpu_time": statistics.median(cpus),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
