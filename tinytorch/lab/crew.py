"""Which threads of a kernel touch which elements, and whether they are at work at the same time.

Seen by arrays that record their accesses (see `recording`); no clock is read, and nothing depends
on how fast anything runs. How patient to be with a second thread is all that takes seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinytorch.core.tensor import Tensor
from tinytorch.lab.callables import namespace, python_form
from tinytorch.lab.counters import Gauge
from tinytorch.lab.recording import watched
from tinytorch.lab.tape import ELEMENT, ELEMENTS, NUMBER, Tape, arrays_in, decode
from tinytorch.lab.watching import watching

_MOMENT = 0.1  # seconds for one thread too many to show up


@dataclass
class Crew:
    """What the threads of one call did.

    touched: thread -> array's number -> which of its elements; of the caller, what it did while
    threads that it had started were alive. together: whether two threads had begun and neither had
    ended. again: whether the caller computed with all elements after it had handed them over.
    own: the threads that the call started, `most` of which lived at once.
    """

    touched: dict[threading.Thread, dict[int, np.ndarray]] = field(default_factory=dict)
    together: bool = False
    again: bool = False
    most: int = 0
    own: set[threading.Thread] = field(default_factory=set)
    caller: threading.Thread = field(default_factory=threading.current_thread)

    @property
    def started(self) -> int:
        """How many threads the call started."""
        return len(self.own)

    @property
    def seen(self) -> bool:
        """Whether any access could be seen at all."""
        return bool(self.touched)

    def most_sharing(self, sharing: list[threading.Thread]) -> int:
        """How many of these threads may have been at work at once.

        Those of a pool that was there before the call, and the caller, count as always at work.
        """
        others = [thread for thread in sharing if thread not in self.own]
        return min(len(sharing), self.most + len(others))

    def workers(self, whole: int) -> list[threading.Thread]:
        """The threads that took a part of the work: some elements, but never all `whole`."""
        return [
            thread
            for thread, arrays in self.touched.items()
            if not any(e.size >= whole and e.all() for e in arrays.values())
        ]


def watch_crew(
    kernel: Callable[..., Any],
    x: np.ndarray,
    workers: int,
    asked: tuple[Any, ...] | None = None,
    patience: float = 3.0,
) -> Crew:
    """Run `kernel(x, *asked)` and note which thread touches which elements.

    workers: how many threads may share the work; `asked` is (workers,) where it is not given.

    A thread that the call started waits at its first access, for `patience` seconds at most, until
    another one has come to its own, and then a moment for one more than `workers` to show up.
    What the kernel raises, propagates.
    """
    function, crew = python_form(kernel), Crew()
    tape = _CrewTape(crew, workers, patience, x.size)
    tape.register(copy := np.array(x, order="K"), workspace=False)
    with watching(tape, namespace(function)), _hooked_threads(tape.gauge, tape.hand_over):
        function(Tensor(watched(tape, copy)), *((workers,) if asked is None else asked))
    crew.most = tape.gauge.highest
    return crew


class _CrewTape(Tape):
    """A tape that keeps no order, only who touched what."""

    def __init__(self, crew: Crew, workers: int, patience: float, whole: int) -> None:
        super().__init__()
        self.crew, self.workers, self.patience, self.whole = crew, workers, patience, whole
        self.caller, self.gauge = crew.caller, Gauge()
        self._handed_over = self._over = False
        self._here: set[threading.Thread] = set()
        self._changed = threading.Condition()

    def element(self, values: Any, index: tuple[Any, ...], write: int) -> None:
        self._arrive()
        with self._lock:
            super().element(values, index, write)
            code = self.codes.pop()
            number = code >> NUMBER
            if (seen := self._mine(number)) is not None:
                seen[code >> ELEMENT & ELEMENTS] = True

    def operation(
        self, name: str, reads: Iterable[Any], writes: Iterable[Any], elementwise: bool = False
    ) -> None:
        if self.open:
            self._arrive()
            if elementwise and self._handed_over and threading.current_thread() is self.caller:
                largest = max((array.size for array in arrays_in(reads)), default=0)
                self.crew.again |= largest >= self.whole
        super().operation(name, reads, writes, elementwise)

    def extend(self, name: str, parts: Iterable[np.ndarray], kind: str = "copy") -> None:
        if kind != "elementwise" and threading.current_thread() is self.caller:
            return  # it hands out the pieces, or puts them together
        with self._lock:
            for part in parts:
                self._note(np.asarray(part))

    def _note(self, codes: np.ndarray) -> None:
        numbers, elements, _ = decode(codes.ravel())
        for number in np.unique(numbers).tolist():
            if (seen := self._mine(number)) is not None:
                seen[elements[numbers == number]] = True

    def _mine(self, number: int) -> np.ndarray | None:
        """What this thread has touched of an array; None where that is not its share of work."""
        me = threading.current_thread()
        if me is self.caller and not self.gauge.inside:
            return None
        mine = self.crew.touched.setdefault(me, {})
        if number not in mine:
            mine[number] = np.zeros(self.blocks[number].size, bool)
        return mine[number]

    def hand_over(self, thread: threading.Thread) -> None:
        """Note that the call has started a thread: what the caller does now, it does beside it."""
        self._handed_over = True
        self.crew.own.add(thread)

    def _arrive(self) -> None:
        """Wait for a second thread. The caller never waits: others may wait for it."""
        me = threading.current_thread()
        if me in self._here or (me is self.caller and not self._handed_over):
            return
        with self._changed:
            self._here.add(me)
            if len(self._here) >= 2 and not self._over:
                self.crew.together = self._over = True
            self._changed.notify_all()
            if me is self.caller:
                return
            if not self._over:
                self._changed.wait_for(lambda: self._over, self.patience)
                self._over = True
            if self.crew.together:
                self._changed.wait_for(lambda: len(self._here) > self.workers, _MOMENT)


@contextmanager
def _hooked_threads(gauge: Gauge, on_start: Callable[[threading.Thread], None]) -> Iterator[None]:
    """While this lasts, threads that are started count in the gauge, and on_start is told."""
    start, run = threading.Thread.start, threading.Thread.run

    def hooked_start(thread: Any) -> None:
        on_start(thread)
        start(thread)

    def hooked_run(thread: Any) -> None:
        with gauge:
            run(thread)

    threading.Thread.start, threading.Thread.run = hooked_start, hooked_run  # type: ignore
    try:
        yield
    finally:
        threading.Thread.start, threading.Thread.run = start, run  # type: ignore[method-assign]
