# right: contextlib.ExitStack puts everything back, clocks from clock_gettime
# %%
import contextlib

class SimpleProfiler:
    def __init__(self, repeats=15, warmup=2):
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def _cpu(self):
        return time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)

    def _sample(self, call):
        gc.disable()
        cpu, wall = self._cpu(), time.clock_gettime(time.CLOCK_MONOTONIC)
        result = call()
        wall = time.clock_gettime(time.CLOCK_MONOTONIC) - wall
        return wall, self._cpu() - cpu, result

    def profile(self, fn, /, *args, **kwargs):
        def call():
            return fn(*args, **kwargs)

        with contextlib.ExitStack() as stack:
            if gc.isenabled():
                stack.callback(gc.enable)
            for _ in range(self.warmup):
                call()
            wall, cpu = [], []
            for _ in range(self.repeats):
                w, c, result = self._sample(call)
                wall.append(w)
                cpu.append(c)
        with contextlib.ExitStack() as stack:
            if not tracemalloc.is_tracing():
                tracemalloc.start()
                stack.callback(tracemalloc.stop)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            call()
            peak = tracemalloc.get_traced_memory()[1] - before
        wall.sort()
        return result, {
            "wall_time": statistics.median(wall),
            "min_time": wall[0],
            "cpu_time": statistics.median(cpu),
            "repeats": self.repeats,
            "peak_memory": peak,
        }
