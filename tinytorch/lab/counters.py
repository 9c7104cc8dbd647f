"""Counts instead of clocks: executed Python lines, operations in flight, threads that met.

None of these depends on how fast or how busy the machine is.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from tinytorch.core.tensor import positive_int
from tinytorch.lab.callables import namespace


def python_steps(function: Callable[..., Any], *args: Any, **kwargs: Any) -> int:
    """How many Python lines one call executes: the same number in every run.

    Counted are the lines of the function and of what it calls among the functions of its own
    module or notebook, each time that they run; a loop or comprehension on one line counts once
    a turn. Not counted: libraries, what runs in C (also `map`, `sum` and compiled functions) and
    other threads. A tracer that was there before (a debugger's, a coverage tool's) pauses and
    then goes on. What the function raises, propagates.

    sys.settrace rather than sys.monitoring: it exists in every supported Python, and reports
    each turn of a loop that stands on one line.

    >>> python_steps(lambda: None)
    1
    """
    if not callable(function):
        raise TypeError(f"python_steps needs a function, got {type(function).__name__}")
    own = namespace(function)
    steps = 0

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal steps
        steps += event == "line"
        return count

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        return count if frame.f_globals is own else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        function(*args, **kwargs)
    finally:
        sys.settrace(before)
    return steps


class Gauge:
    """How many operations are in flight at the same time, in any number of threads.

    Either `with gauge:` inside the operation, or `gauge.around(operation)`. highest: the most
    that were inside at once. entries: how many there were in all. threads: the identifiers of the
    threads that they ran in.

    >>> gauge = Gauge()
    >>> list(map(gauge.around(abs), [-1, 2]))
    [1, 2]
    >>> gauge.highest, gauge.entries
    (1, 2)
    """

    def __init__(self) -> None:
        self.highest = self.entries = self.inside = 0
        self.threads: set[int] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Gauge:
        with self._lock:
            self.inside += 1
            self.entries += 1
            self.highest = max(self.highest, self.inside)
            self.threads.add(threading.get_ident())
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self.inside -= 1

    def around(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        """The same operation, gauged."""

        @functools.wraps(operation)
        def gauged(*args: Any, **kwargs: Any) -> Any:
            with self:
                return operation(*args, **kwargs)

        return gauged


class Meeting:
    """Proves that `parties` operations are in flight at the same time: each waits for the others.

    Let every operation call `arrive()`. Once so many are there, all go on, and later ones pass
    without waiting. If they do not come within `timeout` seconds (one after the other
    they never do), all go on too, and `met` stays False. Nothing waits after that, so a serial
    run pays for one timeout only. The time says how long to be patient, not how fast to be.

    Raises ValueError for parties below 1 or a timeout that is not above 0.
    """

    def __init__(self, parties: int, timeout: float = 10.0) -> None:
        if not timeout > 0:
            raise ValueError(f"timeout must be a number of seconds above 0, got {timeout!r}")
        self.met = False
        self._parties, self._timeout = positive_int("parties", parties), timeout
        self._here, self._over = 0, False
        self._changed = threading.Condition()

    def arrive(self) -> bool:
        """Wait for the others; whether all have met."""
        with self._changed:
            self._here += 1
            if not self._over and self._here == self._parties:
                self.met = self._over = True
            elif not self._over:
                self._changed.wait_for(lambda: self._over, self._timeout)
                self._over = True
            self._changed.notify_all()
            return self.met
