"""How a check reaches an answer that lives in another process: what its proxy offers.

A grader may keep the answers in a process of their own and the checks in another. What a check
then holds is a proxy, with an attribute `__judged__` that fulfils `Judged`. What is asked of the
answer's process is said by that process, and code that means harm may have it say anything; what
is noted or read outside of it (`cpu_seconds`, `busy_threads`, the reads of what is lent), it
cannot change.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any, Protocol

import numpy as np

from tinytorch.lab.lending import Read


class Loan(Protocol):
    """An array that stays here while an answer computes with it; see `lending.Lent`."""

    hold: int

    @property
    def reads(self) -> list[Read]:
        """What the answer's process asked for, in order."""


class Judged(Protocol):
    """An answer's process, as a check sees it."""

    def ask(self, name: str, *args: Any) -> Any:
        """Run `tinytorch.lab.judged.ASKED[name](answer, *args)` there; data only, both ways."""

    def cpu_seconds(self) -> float:
        """Processor time of the answer's process and all that it started, read from outside."""

    def busy_threads(self) -> dict[int, float]:
        """Processor seconds of each of its threads that lives, read from outside."""

    def lend(self, array: np.ndarray) -> Loan:
        """An argument that stays here: the answer gets an array that must ask for elements."""


def judged_of(thing: Any) -> Judged | None:
    """The process of an answer that lives in another one; None for one that lives here.

    Partials, decorators made with `functools.wraps`, bound methods and instances of a proxy's
    class are looked through.
    """
    while isinstance(thing, partial):
        thing = thing.func
    for candidate in (thing, inspect.unwrap(thing) if callable(thing) else thing):
        owner = getattr(candidate, "__self__", None)
        for place in (candidate, owner, type(candidate), type(owner)):
            found = inspect.getattr_static(place, "__judged__", None)
            if found is not None:
                return getattr(place, "__judged__", None)
    return None
