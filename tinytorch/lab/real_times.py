"""A profiler's times against this process's clock, in bounds that hold on any machine.

The function that is timed runs here. Whoever times a call of it, starts after the call before it
has come back and stops before the next one comes: that is the most that can have been measured.
How long the call itself took here is the least.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.lab.expect import attempt

_TICK = 1e-6  # seconds by which two readings of a clock may differ through rounding


def expect_real_times(profiler: Any) -> None:
    """Assert that `profiler().profile(...)` reports times that can have been measured.

    profiler: a class of profilers, or whatever makes one.
    """
    calls: list[tuple[float, float]] = []
    waits = np.random.default_rng()

    def work() -> None:
        begun = time.perf_counter()
        time.sleep(waits.uniform(0.001, 0.005))  # by chance, so that it cannot be known beforehand
        calls.append((begun, time.perf_counter()))

    begun = time.perf_counter()
    _, metrics = attempt(profiler().profile, work)
    ended = time.perf_counter()
    repeats = int(metrics["repeats"])
    least, most = _bounds(calls, begun, ended)
    windows = [(least[i : i + repeats], most[i : i + repeats])
               for i in range(1, len(calls) - repeats + 1)]  # fmt: skip
    tried = f"tried {len(calls)} calls that wait 1 to 5 ms, by the real clock"
    assert windows, f"{tried}: repeats is {repeats}: is there a warm-up before the timed calls?"
    wall, shortest = float(metrics["wall_time"]), float(metrics["min_time"])
    fits = any(
        _between(statistics.median(low), wall, statistics.median(high))
        and _between(min(low), shortest, min(high))
        for low, high in windows
    )
    low, high = windows[0]
    assert fits, (
        f"{tried}: wall_time is {wall:.6f} s and min_time {shortest:.6f} s; the calls themselves "
        f"took {statistics.median(low):.6f} and {min(low):.6f} s (median and minimum), with "
        f"everything between them {statistics.median(high):.6f} and {min(high):.6f} s: are the "
        "times those of these calls?"
    )


def _bounds(
    calls: Sequence[tuple[float, float]], begun: float, ended: float
) -> tuple[list[float], list[float]]:
    """Of each call, the least and the most that can have been measured."""
    before = [begun, *(end for _, end in calls)]
    after = [*(start for start, _ in calls[1:]), ended]
    least = [end - start for start, end in calls]
    return least, [stop - start for start, stop in zip(before, after, strict=False)]


def _between(low: float, value: float, high: float) -> bool:
    return low - _TICK <= value <= high + _TICK
