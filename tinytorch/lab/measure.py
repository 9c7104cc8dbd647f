"""Interleaved timing, for the lesson's experiments and the benchmarks.

Nothing here decides about a grade, and nothing is drawn here (see plots).
"""

import gc
import math
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tinytorch.lab.facts import cores, cpu_name

Key = TypeVar("Key")

_TICK = 200e-6  # seconds; a shorter call is repeated until one reading spans this much


def _calls_per_reading(call: Callable[[], Any]) -> int:
    call()  # the first call pays for imports, caches and memory pages
    start = time.perf_counter()
    call()
    once = time.perf_counter() - start
    return max(1, math.ceil(_TICK / max(once, 1e-9)))


def race(
    contestants: Mapping[Key, Callable[[], Any]], rounds: int = 15, number: int | None = None
) -> dict[Key, list[float]]:
    """Time several calls in turns, so that a disturbance of the machine meets all of them.

    contestants: name -> function without arguments. Each is called once or twice before timing.
    rounds: readings per contestant; the order rotates from round to round.
    number: calls per reading; by default enough for 200 microseconds.
    Returns name -> seconds per call, one entry per round, in the order of the rounds.
    """
    calls = {
        name: _calls_per_reading(call) if number is None else number
        for name, call in contestants.items()
    }
    times: dict[Key, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(rounds):
            first = turn % max(1, len(names))
            for name in names[first:] + names[:first]:
                call, count = contestants[name], calls[name]
                start = time.perf_counter()
                for _ in range(count):
                    call()
                times[name].append((time.perf_counter() - start) / count)
    finally:
        if collecting:
            gc.enable()
    return times


class Spread(NamedTuple):
    """How readings are spread; the middle half lies from `lower` to `upper`. Same unit as they."""

    minimum: float
    lower: float
    median: float
    upper: float

    @property
    def iqr(self) -> float:
        """The interquartile range: how wide the middle half is."""
        return self.upper - self.lower


def spread(readings: Sequence[float]) -> Spread:
    """Minimum, quartiles and median of one reading or more. Quartiles as `statistics.quantiles`."""
    several = len(readings) > 1
    lower, median, upper = statistics.quantiles(readings, n=4) if several else [*readings] * 3
    return Spread(min(readings), lower, median, upper)


def machine_line() -> str:
    """One line for captions: the processor, cores that this process may use, NumPy's version."""
    count = cores()
    name = f"{cpu_name() or 'unknown processor'} ({platform.machine()})"
    return f"{name}, {count} core{'s' * (count > 1)}, NumPy {np.__version__}"
