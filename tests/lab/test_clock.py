"""The clock that tests move: whoever reads a clock reads this one, and afterwards the real one."""

import statistics
import time
import timeit
from functools import partial
from time import perf_counter as imported_by_name

import pytest

from tinytorch.core.kernels import SimpleProfiler
from tinytorch.lab.clock import expect_times, fake_clock


class Profiler:
    """Times fn with a clock of one's choice, after `skip` calls; `summary` is what it reports."""

    held = staticmethod(time.monotonic)

    def __init__(self, now, skip=1, repeats=5, cpu=None, summary=statistics.median):
        self.now, self.skip, self.repeats, self.summary = now, skip, repeats, summary
        self.cpu = cpu or (lambda: time.process_time())

    def profile(self, fn):
        for _ in range(self.skip):
            fn()
        wall, cpu = [], []
        for _ in range(self.repeats):
            c, w = self.cpu(), self.now(self)
            fn()
            wall.append(self.now(self) - w)
            cpu.append(self.cpu() - c)
        return {
            "wall_time": self.summary(wall),
            "min_time": min(wall),
            "cpu_time": statistics.median(cpu),
            "repeats": self.repeats,
        }


def default_argument(self, clock=time.perf_counter):
    return clock()


def by_number(self):
    return time.clock_gettime(time.CLOCK_MONOTONIC)


CLOCKS = {
    "time.perf_counter": lambda self: time.perf_counter(),
    "nanoseconds": lambda self: time.perf_counter_ns() / 1e9,
    "imported by name": lambda self: imported_by_name(),
    "default argument": default_argument,
    "attribute of the class": lambda self: self.held(),
    "timeit": lambda self: timeit.default_timer(),
    "by number": by_number,
}


def measured(profiler):
    """What the profiler says of calls that take 1/64 s, 2/64 s, ..., and what they took."""
    lasted = []
    with fake_clock(type(profiler)) as clock:

        def work():
            lasted.append((len(lasted) + 1) / 64)
            clock.advance(lasted[-1], lasted[-1] / 4)

        metrics = profiler.profile(work)
    return metrics, lasted, clock, "rising"


@pytest.mark.parametrize("name", CLOCKS)
def test_every_way_to_read_a_clock_reads_the_fake_one(name):
    expect_times(*measured(Profiler(CLOCKS[name])))


def test_the_reference_reads_it_too():
    lasted = []
    with fake_clock(SimpleProfiler) as clock:

        def work():
            lasted.append(2.0 ** -len(lasted))
            clock.advance(lasted[-1], lasted[-1] / 4)

        metrics = SimpleProfiler().profile(work)[1]
    expect_times(metrics, lasted, clock, "falling")


def test_timeits_own_timer_reads_it():
    with fake_clock(Profiler) as clock:
        took = timeit.Timer(partial(clock.advance, 3.0, 1.0)).repeat(repeat=2, number=1)
    assert took == [3.0, 3.0]


def test_afterwards_everything_reads_the_real_clock_again():
    before = time.perf_counter, imported_by_name, Profiler.held, timeit.Timer.__init__.__defaults__
    default = default_argument.__defaults__
    with fake_clock(Profiler):
        assert time.perf_counter is not before[0]
    after = time.perf_counter, imported_by_name, Profiler.held, timeit.Timer.__init__.__defaults__
    assert after == before and default_argument.__defaults__ == default


WALL = CLOCKS["time.perf_counter"]
MISTAKES = {
    "is that the minimum": Profiler(WALL, summary=min),
    "is there a warm-up before": Profiler(WALL, skip=0),
    "milliseconds": Profiler(lambda self: time.perf_counter() * 1e3),
    "which may be set back": Profiler(lambda self: time.time(), cpu=lambda: 0.0),
    "that of the processor": Profiler(lambda self: time.process_time()),
    "not the wall time or the sum": Profiler(WALL, cpu=lambda: time.perf_counter()),
    "no clock of Python's time module": Profiler(lambda self: 1.0, cpu=lambda: 1.0),
    "is the unit left out": Profiler(WALL, summary=lambda w: f"{statistics.median(w)} s"),
}


@pytest.mark.parametrize("says", MISTAKES)
def test_every_mistake_is_told_apart(says):
    with pytest.raises(AssertionError, match=says):
        expect_times(*measured(MISTAKES[says]))


def test_a_mean_and_a_missing_key_are_told_apart():
    metrics, _, clock, kind = measured(Profiler(WALL))
    skewed = [1.0, 1.0, 1.0, 1.0, 1.0, 6.0]
    metrics |= {"wall_time": 2.0, "min_time": 1.0}
    with pytest.raises(AssertionError, match="a mean is no median"):
        expect_times(metrics, skewed, clock, kind)
    del metrics["min_time"]
    with pytest.raises(AssertionError, match=r"metrics lacks \['min_time'\]"):
        expect_times(metrics, skewed, clock, kind)
