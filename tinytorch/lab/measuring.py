"""Measurement, measured: first calls, what tracing costs, how fine the clock is.

Every function takes a clock, so that it can be tried with one that is known. Contestants are timed
by measure; nothing is drawn here (see measuring_plots).
"""

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

from tinytorch.core.tensor import positive_int

Clock = Callable[[], float]
Calls = Mapping[str, Callable[[], Any]]


def call_by_call(
    calls: Calls, count: int = 30, clock: Clock = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of the first call, the second and so on: nothing is warmed up, nothing left out.

    calls: name -> function without arguments. They take turns. What a call does once (import,
    compile, touch new memory) must not have been done before. ValueError: count below 1.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    with _collector_off():
        for _ in range(positive_int("count", count)):
            for name, call in calls.items():
                start = clock()
                call()
                times[name].append(clock() - start)
    return times


class TracingCost(NamedTuple):
    """Seconds per call, one entry per round, without and with tracemalloc."""

    untraced: list[float]
    traced: list[float]


def tracing_cost(
    calls: Calls, rounds: int = 15, clock: Clock = time.perf_counter
) -> dict[str, TracingCost]:
    """Time each call with tracemalloc off and on, in turns; the switching itself is not timed.

    calls: name -> function without arguments; each is called once before. Where tracemalloc runs
    already it is left running, since stopping it would lose what it has traced: a sentence says
    so, and the result is empty. ValueError: rounds below 1.
    """
    if tracemalloc.is_tracing():
        print("tracemalloc is running already: stop it to see what it costs.")
        return {}
    for call in calls.values():
        call()
    costs = {name: TracingCost([], []) for name in calls}
    with _collector_off():
        for turn in range(positive_int("rounds", rounds)):
            for name, call in calls.items():
                for tracing in (False, True) if turn % 2 == 0 else (True, False):
                    seconds = _timed_traced(call, clock) if tracing else _timed(call, clock)
                    costs[name][tracing].append(seconds)
    return costs


class Timer(NamedTuple):
    """A clock, in seconds. step: the smallest that it was seen to make, 0.0 where it stood still.

    reading: what one reading costs, with the loop around it. claimed: the system's own word.
    """

    step: float
    reading: float
    claimed: float

    def __str__(self) -> str:
        if not self.step:
            return "The clock did not move while it was read: repeat calls within one reading."
        # Steps as long as a reading are the reading's, and say nothing about the clock's own.
        hidden = self.reading / 2 <= self.step <= 2 * self.reading
        finer = " (it may be finer: no two readings are closer)" if hidden else ""
        least = 100 * max(self.step, self.reading)
        return (
            f"The smallest step seen is {_nanoseconds(self.step)}"
            f"{finer}, the system claims "
            f"{_nanoseconds(self.claimed)}, and one reading costs {_nanoseconds(self.reading)}: "
            f"for an error of 1 %, repeat what takes less than {_nanoseconds(least)}."
        )


def timer(readings: int = 100_000, clock: Clock = time.perf_counter) -> Timer:
    """Read the clock again and again, and look at its steps. ValueError: less than two readings."""
    if positive_int("readings", readings) < 2:
        raise ValueError(f"readings must be at least 2, got {readings}")
    with _collector_off():
        read = [clock() for _ in range(readings)]
    steps = [later - earlier for earlier, later in pairwise(read)]
    claimed = time.get_clock_info("perf_counter").resolution
    step = min((s for s in steps if s > 0), default=0.0)
    return Timer(step, (read[-1] - read[0]) / len(steps), claimed)


def _nanoseconds(seconds: float) -> str:
    return f"{1e9 * seconds:.3g} ns" if seconds < 1e-6 else f"{1e6 * seconds:.3g} µs"


def _timed(call: Callable[[], Any], clock: Clock) -> float:
    start = clock()
    call()
    return clock() - start


def _timed_traced(call: Callable[[], Any], clock: Clock) -> float:
    tracemalloc.start()
    try:
        return _timed(call, clock)
    finally:
        tracemalloc.stop()


@contextmanager
def _collector_off() -> Iterator[None]:
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
