"""Which threads of a kernel touch which elements, and whether they are at work at the same time.

Seen by arrays that record their accesses (see `recording`); no clock is read, and nothing depends
on how fast anything runs. How patient to be with a second thread is all that takes seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinytorch.core.tensor import Tensor
from tinytorch.lab.callables import namespace, python_form
from tinytorch.lab.counters import Gauge
from tinytorch.lab.recording import watched
from tinytorch.lab.tape import Tape, decode
from tinytorch.lab.watching import watching


@dataclass
class Crew:
    """What the threads of one call did.

    touched: thread -> array's number -> which of its elements. together: whether two threads had
    begun and neither had ended. most: the most threads that lived at once, of those that the call
    started. sizes: elements of each array.
    """

    touched: dict[threading.Thread, dict[int, np.ndarray]] = field(default_factory=dict)
    together: bool = False
    most: int = 0
    started: int = 0
    sizes: dict[int, int] = field(default_factory=dict)

    @property
    def seen(self) -> bool:
        """Whether any access could be seen at all."""
        return bool(self.touched)

    def workers(self, whole: int) -> list[threading.Thread]:
        """The threads that took a part of the work: some elements, but never all `whole`."""
        return [
            thread
            for thread, arrays in self.touched.items()
            if not any(e.size >= whole and e.all() for e in arrays.values())
        ]


def watch_crew(kernel: Callable[..., Any], x: np.ndarray, *arguments: Any,
               patience: float = 5.0) -> Crew:  # fmt: skip
    """Run `kernel(x, *arguments)` and note which thread touches which elements.

    A thread that the call started waits at its first access, for `patience` seconds at most, until
    another one has come to its own. What the kernel raises, propagates.
    """
    function, crew = python_form(kernel), Crew()
    tape = _CrewTape(crew, patience)
    tape.register(copy := np.array(x, order="K"), workspace=False)
    gauge = Gauge()
    with watching(tape, namespace(function)), _CountedThreads(gauge):
        function(Tensor(watched(tape, copy)), *arguments)
    crew.together, crew.most, crew.started = tape.met, gauge.highest, gauge.entries
    return crew


class _CrewTape(Tape):
    """A tape that keeps no order, only who touched what."""

    def __init__(self, crew: Crew, patience: float) -> None:
        super().__init__()
        self.crew, self.patience = crew, patience
        self.caller = threading.current_thread()
        self.met = False
        self._over = False
        self._first: set[threading.Thread] = set()
        self._changed = threading.Condition()

    def element(self, values: Any, index: tuple[Any, ...], write: int) -> None:
        self._arrive()
        with self._lock:
            super().element(values, index, write)
            self._note(np.array([self.codes.pop()]))

    def operation(
        self, name: str, reads: Iterable[Any], writes: Iterable[Any], elementwise: bool = False
    ) -> None:
        if self.open:
            self._arrive()
        super().operation(name, reads, writes, elementwise)

    def extend(self, name: str, parts: Iterable[np.ndarray], kind: str = "copy") -> None:
        with self._lock:
            for part in parts:
                self._note(np.asarray(part))

    def _note(self, codes: np.ndarray) -> None:
        numbers, elements, _ = decode(codes.ravel())
        mine = self.crew.touched.setdefault(threading.current_thread(), {})
        for number in np.unique(numbers).tolist():
            size = self.blocks[number].size
            seen = mine.setdefault(number, np.zeros(size, bool))
            seen[elements[numbers == number]] = True

    def _arrive(self) -> None:
        """Wait for a second thread. The caller never waits: it may have handed the work over."""
        me = threading.current_thread()
        if self._over or me in self._first:
            if me is self.caller and not self._over:
                self._release_if_waiting()
            return
        with self._changed:
            self._first.add(me)
            if me is self.caller:
                return
            others = [t for t in self._first if t is not me and t is not self.caller]
            if others:
                self.met = self._over = True
            else:
                self._waiting = True
                self._changed.wait_for(lambda: self._over, self.patience)
                self._waiting, self._over = False, True
            self._changed.notify_all()

    _waiting = False

    def _release_if_waiting(self) -> None:
        """The caller works while a thread waits for company: these two are at it together."""
        with self._changed:
            if self._waiting:
                self.met = self._over = True
                self._changed.notify_all()


class _CountedThreads:
    """Gauges the threads that are started while this lasts."""

    def __init__(self, gauge: Gauge) -> None:
        self.gauge = gauge

    def __enter__(self) -> None:
        self._run = threading.Thread.run
        original, gauge = self._run, self.gauge

        def run(thread: Any) -> None:
            with gauge:
                original(thread)

        threading.Thread.run = run  # type: ignore[assignment, method-assign]

    def __exit__(self, *error: object) -> None:
        threading.Thread.run = self._run  # type: ignore[method-assign]
