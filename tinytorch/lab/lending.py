"""Arrays that are lent: they stay here, and whoever computes with them must ask for elements.

What is asked for is noted here, out of the reach of the code that asks. The other side, which asks,
is in `lent`.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

import numpy as np

_MOMENT = 0.1  # seconds for one ask too many to show up


class Read(NamedTuple):
    """One ask. elements: which, counted in row-major order. in_flight: how many asks of any
    array of the same desk were being answered at that moment, this one included."""

    elements: np.ndarray
    in_flight: int


class Desk:
    """Where asks arrive: how many there are at a time, and the waiting for each other."""

    def __init__(self, patience: float = 3.0) -> None:
        self.patience = patience
        self._present: list[list[int]] = []  # of each ask, how many were here with it at most
        self._over = False
        self._until = 0.0  # when those who have met go on
        self._changed = threading.Condition()

    def enter(self, hold: int) -> list[int]:
        """Come in, and wait for `hold` asks in all; with it, how many met this one at most.

        Where they meet, all wait a moment more, so that one too many shows up. Where they do not
        come within the patience, nobody waits again. No speed is measured.
        """
        with self._changed:
            mine = [0]
            self._present.append(mine)
            for most in self._present:
                most[0] = max(most[0], len(self._present))
            self._changed.notify_all()
            if hold > 1 and not self._over:
                self._changed.wait_for(
                    lambda: self._over or len(self._present) >= hold, self.patience
                )
                if not self._over and len(self._present) >= hold:
                    self._until = time.monotonic() + _MOMENT
                self._over = True
                self._changed.notify_all()
            while (left := self._until - time.monotonic()) > 0:
                self._changed.wait(left)
            return mine

    def leave(self, mine: list[int]) -> None:
        """Go."""
        with self._changed:
            self._present = [other for other in self._present if other is not mine]


class Lent:
    """An array that is lent, row-major. hold: how many asks wait for each other; 1: none waits."""

    def __init__(self, array: np.ndarray, desk: Desk) -> None:
        self._values = np.array(array, order="C").ravel()
        self._desk = desk
        self.shape, self.dtype = array.shape, array.dtype
        self.hold = 1
        self.reads: list[Read] = []

    def answer(self, elements: np.ndarray) -> np.ndarray:
        """The values of these elements; the ask is noted. ValueError for what is no element."""
        asked = np.array(elements)
        if asked.dtype.kind not in "iu" or asked.ndim != 1:
            raise ValueError(
                f"elements are whole numbers in a row, got {asked.dtype}, {asked.ndim}-D"
            )
        if asked.size and not 0 <= int(asked.min()) <= int(asked.max()) < self._values.size:
            raise ValueError(f"elements are 0 to {self._values.size - 1}, got others")
        if asked.size > self._values.size:
            raise ValueError("elements are asked for once, got more than there are")
        mine = self._desk.enter(self.hold)
        try:
            self.reads.append(Read(asked, mine[0]))
            return self._values[asked]
        finally:
            self._desk.leave(mine)
