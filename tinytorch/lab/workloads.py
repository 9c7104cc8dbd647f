"""Functions for a profiler to run that must run in the answer's own process, and what they saw.

A function of a test stays where the test runs. What is to allocate memory, or to look at the
collector and at tracemalloc, goes to the answer's process instead: as the name of one of these
classes and the `arguments` that it was made from, which are plain data.
"""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.lab.proxies import judged_of

_seen: dict[str, list[tuple[bool, bool]]] = {}  # what each Observe saw in this process, by its key
_keys = itertools.count()
FAILS = "from fn"  # what FailWhileTracing says


class Workload:
    """A callable made from plain data. name, arguments: what to make the same one from elsewhere:
    `WORKLOADS[name](*arguments)`."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.name = self.__name__ = type(self).__name__

    def __call__(self) -> Any:
        """What is to be profiled."""
        raise NotImplementedError


class Allocate(Workload):
    """Allocates `size` float64 numbers, sums them and frees them."""

    def __init__(self, size: int) -> None:
        super().__init__(size)

    def __call__(self) -> float:
        """The sum."""
        return float(np.ones(*self.arguments).sum())


class FailWhileTracing(Workload):
    """Raises OSError(FAILS) in the first call that tracemalloc traces."""

    def __call__(self) -> None:
        """Nothing, or the error."""
        if tracemalloc.is_tracing():
            raise OSError(FAILS)


class Observe(Workload):
    """Allocates enough to start a collection that is not held off, and notes what is on.

    See `Process.observed` for what it noted.
    """

    def __init__(self, key: str | None = None) -> None:
        super().__init__(f"observation {next(_keys)}" if key is None else key)

    def __call__(self) -> int:
        """The number of objects allocated."""
        collected: list[int] = []

        def note(*_: Any) -> None:
            collected.append(1)

        gc.callbacks.append(note)
        try:
            kept: list[list[int]] = [[] for _ in range(5_000)]
        finally:
            gc.callbacks.remove(note)
        (key,) = self.arguments
        _seen.setdefault(key, []).append((bool(collected), tracemalloc.is_tracing()))
        return len(kept)


WORKLOADS: dict[str, type[Workload]] = {
    "Allocate": Allocate,
    "FailWhileTracing": FailWhileTracing,
    "Observe": Observe,
}


class Process:
    """The process in which an answer lives: this one, or another."""

    def __init__(self, answer: Any) -> None:
        self._answer, self._judged = answer, judged_of(answer)

    def state(self) -> dict[str, Any]:
        """collecting: whether the garbage collector is on; thresholds; tracing: tracemalloc."""
        return state(self._answer) if self._judged is None else self._judged.ask("state")

    def reset(self, thresholds: Sequence[int]) -> None:
        """Collector on with these thresholds, tracing off."""
        if self._judged is None:
            reset(self._answer, thresholds)
        else:
            self._judged.ask("reset", list(thresholds))

    def observed(self, workload: Observe) -> list[tuple[bool, bool]]:
        """What each call of the workload saw: whether the collector ran, whether it was traced."""
        (key,) = workload.arguments
        if self._judged is None:
            return observed(self._answer, key)
        return [(bool(ran), bool(traced)) for ran, traced in self._judged.ask("observed", key)]


def process_of(answer: Any) -> Process:
    """The process in which an answer lives."""
    return Process(answer)


def state(_: Any) -> dict[str, Any]:
    """`Process.state` of this process."""
    return {
        "collecting": gc.isenabled(),
        "thresholds": list(gc.get_threshold()),
        "tracing": tracemalloc.is_tracing(),
    }


def reset(_: Any, thresholds: Sequence[int]) -> None:
    """`Process.reset` of this process."""
    gc.enable()
    gc.set_threshold(*thresholds)
    tracemalloc.stop()


def observed(_: Any, key: str) -> list[tuple[bool, bool]]:
    """`Process.observed` of this process."""
    return _seen.get(key, [])
