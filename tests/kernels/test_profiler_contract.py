"""The contract of SimpleProfiler, on a clock of our own: no test waits, and none reads the time."""

import gc
import statistics
import time
import tracemalloc

import numpy as np
import pytest

from tinytorch.core.kernels import SimpleProfiler


class Clock:
    """Stands in for the two clocks; time passes only when the profiled function says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def read(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock.read)
    monkeypatch.setattr(time, "process_time", clock.read)
    return clock


def test_metrics_come_from_the_timed_calls_only(clock):
    durations = iter([50.0, 60.0, 3.0, 1.0, 2.0, 30.0, 1.5, 70.0])  # 2 warm-up, 5 timed, 1 traced

    def work():
        clock.now += next(durations)

    _, metrics = SimpleProfiler(repeats=5, warmup=2).profile(work)
    assert metrics["wall_time"] == pytest.approx(statistics.median([3.0, 1.0, 2.0, 30.0, 1.5]))
    assert metrics["min_time"] == pytest.approx(1.0)
    assert metrics["cpu_time"] == pytest.approx(2.0)
    assert metrics["iqr"] > 0
    assert metrics["repeats"] == 5
    assert next(durations, None) is None


def test_one_repeat_is_enough(clock):
    def work():
        clock.now += 4.0

    _, metrics = SimpleProfiler(repeats=1, warmup=1).profile(work)
    assert (metrics["wall_time"], metrics["iqr"]) == (4.0, 0.0)


def test_tracing_never_runs_while_timing():
    states = []
    _, metrics = SimpleProfiler(repeats=4, warmup=2).profile(
        lambda: states.append(tracemalloc.is_tracing())
    )
    assert states == [False] * 6 + [True]
    assert metrics["peak_memory"] >= 0


def test_the_collector_is_off_exactly_while_timing():
    states = []
    SimpleProfiler(repeats=3, warmup=2).profile(lambda: states.append(gc.isenabled()))
    assert states == [True] * 2 + [False] * 3 + [True]
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        SimpleProfiler().profile(int)
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("failing_call", [0, 2, 5])
def test_an_exception_propagates_and_leaves_nothing_switched(failing_call):
    calls = iter(range(99))

    def work():
        if next(calls) == failing_call:  # in the warm-up, in a timed call, in the traced call
            raise OSError("from fn")

    with pytest.raises(OSError, match="from fn"):
        SimpleProfiler(repeats=3, warmup=2).profile(work)
    assert gc.isenabled() and not tracemalloc.is_tracing()


def test_a_callers_tracing_goes_on():
    tracemalloc.start()
    try:
        _, metrics = SimpleProfiler().profile(np.ones, 250_000)
        assert tracemalloc.is_tracing()
        assert 2_000_000 <= metrics["peak_memory"] < 2_100_000
    finally:
        tracemalloc.stop()


def test_peak_memory_counts_what_is_freed_again():
    def work():
        np.ones(500_000)  # 4,000,000 bytes, gone at once
        return np.ones(1_000)

    _, metrics = SimpleProfiler().profile(work)
    assert 4_000_000 <= metrics["peak_memory"] < 4_200_000


def test_the_result_and_all_arguments_pass_through():
    def work(*args, **kwargs):
        return args, kwargs

    result, _ = SimpleProfiler().profile(work, 1, 2, repeats=3, fn=4, self=5, warmup=6)
    assert result == ((1, 2), {"repeats": 3, "fn": 4, "self": 5, "warmup": 6})


@pytest.mark.parametrize("option", ["repeats", "warmup"])
@pytest.mark.parametrize("bad", [0, -1, 1.5])
def test_options_below_one_are_refused(option, bad):
    with pytest.raises(ValueError, match=option):
        SimpleProfiler(**{option: bad})


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError):
        SimpleProfiler().profile(3)


@pytest.mark.parametrize("on", [False, True])
def test_what_the_function_switches_is_put_back(on):
    def meddle():
        (gc.disable if on else gc.enable)()
        tracemalloc.stop() if tracemalloc.is_tracing() else tracemalloc.start()

    (gc.enable if on else gc.disable)()
    try:
        SimpleProfiler(repeats=3, warmup=1).profile(meddle)
        assert gc.isenabled() is on and not tracemalloc.is_tracing()
    finally:
        gc.enable()
