"""Assertions about how a kernel works, never how fast: loops, tiles, threads, clocks.

A kernel in this process is looked at by `instruments`. One that lives in a process of its own is
looked at there by the same, and from here for what code in that process cannot make up: see
`evidence`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinytorch.lab import evidence
from tinytorch.lab.counters import Gauge, Meeting
from tinytorch.lab.expect import attempt, expect_values
from tinytorch.lab.instruments import Seen, look_for_a_loop, look_for_shared_work, look_for_tiles
from tinytorch.lab.proxies import judged_of


def expect_no_loop(
    kernel: Callable[..., Any],
    make: Callable[[int], tuple[Any, ...]],
    gives: Callable[..., Any],
) -> None:
    """Assert that the number of Python lines does not grow with the number of elements.

    make(n): the arguments for n elements. Looked at for 40 and for 4,000. gives(*args): the values
    of the result, an array or a dict of arrays; rounding differs, what else differs is no result
    whose way is worth a look.
    """
    few, many, some, others = (make(n) for n in (40, 4_000, 400, 400))
    expect_values(kernel, *others, gives=gives(*others), **evidence.ROUNDED)
    judged = judged_of(kernel)
    with _in_words():
        if judged is None:
            look_for_a_loop(kernel, few, many, some)
            evidence.of_large_values(kernel, make, gives)
            return
        judged.ask("no_loop", few, many, some)
    evidence.of_no_loop(kernel, judged, make, gives)


def expect_tiles(kernel: Callable[..., Any]) -> None:
    """Assert that a blocked product works in tiles: few simulated misses, small steps.

    kernel(A, B, block_size) is run on 32 by 32 matrices with tiles of 8 by 8. A step on slices may
    touch 3 * 8**2 elements; a cache of 32 lines of 8 elements must miss far less than with plain
    loops. What no instrument can see is not held against a kernel in this process.
    """
    A, B = np.random.default_rng().integers(-4, 5, (2, 12, 12)).astype(np.float64)
    expect_values(kernel, A, B, 4, gives=A @ B, cause=evidence.VALUES_FIRST)
    judged = judged_of(kernel)
    with _in_words():
        if judged is None:
            look_for_tiles(kernel)
            return
        judged.ask("tiles")
    evidence.of_tiles(kernel, judged)


def expect_shared_work(kernel: Callable[..., Any], x: np.ndarray, workers: int | None) -> None:
    """Assert that `kernel(x, workers)` shares the work among 2 to `workers` threads.

    None: `kernel(x)`, whose default is 4.
    """
    some, asked = x[-1_001:], () if workers is None else (workers,)
    numbers = evidence.in_any_order(kernel)
    gives = np.sort(np.maximum(some, 0))
    expect_values(numbers, some, *asked, gives=gives, cause=evidence.VALUES_FIRST)
    judged = judged_of(kernel)
    with _in_words():
        if judged is None:
            look_for_shared_work(kernel, x, workers)
            return
        loops = judged.ask("shared_work", x, workers)
    evidence.of_shared_work(kernel, judged, x, workers, loops)


def expect_at_once(run: Callable[..., Any], workers: int, items: int) -> None:
    """Assert that `run(batch, operation, workers)` has `workers` operations in flight, never more.

    The operations wait for each other, so that only real concurrency gets on, and then a moment
    for one too many to show up.
    """
    gauge, meeting = Gauge(), Meeting(workers, timeout=3)
    extra = threading.Event()

    def operation(item: int) -> int:
        with gauge:
            if gauge.inside > workers:
                extra.set()
            meeting.arrive()
            if gauge.entries <= workers:  # the first of them, while all threads come
                extra.wait(0.1)
        return item

    got = attempt(run, list(range(items)), operation, workers)
    tried = f"tried {items} operations with num_workers={workers}"
    assert got == list(range(items)), f"{tried}: got {got}, expected 0 to {items - 1} in order"
    assert meeting.met, (
        f"{tried}: at most {gauge.highest} at the same time, expected {workers}: are they run one "
        "after the other, or in a smaller pool?"
    )
    assert gauge.highest <= workers, (
        f"{tried}: {gauge.highest} at the same time, expected at most {workers}: is num_workers "
        "handed to the pool?"
    )


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """Whatever an instrument saw is an AssertionError like every other to who reads it."""
    try:
        yield
    except Seen as seen:
        raise AssertionError(str(seen)) from None
