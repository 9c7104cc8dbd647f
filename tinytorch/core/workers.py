"""Threads for compiled kernels: a few helpers that are kept, and the caller, who works too.

Compiled code runs without Python's lock on any thread, so nothing here knows Numba's own threading
layers, one of which ends the process when two threads call it at once.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from tinytorch.core.simd import COMPILING
from tinytorch.core.simd.waiting import signal_and_spin, spin_while
from tinytorch.core.tensor import positive_int

# Waking a sleeping thread took 50 us on a virtual machine, a sixth of a product of 256 x 256
# matrices. So a thread that runs out of work looks for more a while before it sleeps.
_PAUSES = 20_000  # about 400 us
_LOCK_HANDOVER = 100  # pauses: by then who asked for help is in compiled code, without the lock

# Every thread of a matrix product needs 1.2 MiB of its own; 48 of them stay below 64 MiB.
MOST_WORKERS = 48


def available_workers() -> int:
    """Cores that this process may use, and no more than NUMBA_NUM_THREADS says."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores, numba.config.NUMBA_NUM_THREADS))


def worker_count(num_workers: int | None, useful: int) -> int:
    """Threads for a call that keeps `useful` of them busy: at most `num_workers`, at least one.

    num_workers: None for as many as there are cores. ValueError where it is below one.
    """
    if num_workers is not None:
        num_workers = positive_int("num_workers", num_workers)
    if useful < 2:
        return 1  # the usual case of small arrays, without a system call
    return min(useful, MOST_WORKERS, num_workers or available_workers())


@functools.lru_cache(256)
def cuts(size: int, parts: int, multiple: int) -> tuple[int, ...]:
    """Where to cut `size` into at most `parts` pieces whose lengths are multiples."""
    units = -(-size // multiple)
    return tuple(sorted({min(size, units * p // parts * multiple) for p in range(parts + 1)}))


def rectangles(m: int, n: int, workers: int) -> list[tuple[int, int, int, int]]:
    """(top, bottom, left, right) of at most `workers` parts of an m x n matrix, nearly square.

    Each part reads its own rows of A and columns of B: a square part reads least. Cuts fall
    between tiles of any register width.
    """
    shapes = [(d, workers // d) for d in range(1, workers + 1) if workers % d == 0]
    down, across = min(shapes, key=lambda shape: shape[0] * n + shape[1] * m)
    rows, columns = cuts(m, down, 12), cuts(n, across, 32)
    return [(*r, *c) for r in pairwise(rows) for c in pairwise(columns)]


class _Call:
    """One kernel call: the pieces of work that are still to do, and who is at it."""

    def __init__(self, kernel: Callable[..., Any], pieces: Sequence[tuple[Any, ...]]) -> None:
        self.kernel, self.todo, self.left = kernel, deque(pieces), len(pieces)
        self.count = threading.Lock()
        self.done = np.zeros(1, np.int64)  # a helper's word that it was the last to finish
        self.finished = threading.Lock()
        self.finished.acquire()
        self.error: BaseException | None = None

    def help(self) -> bool:
        """Do pieces until none is left to begin; True if this thread finished the last one."""
        last = False
        while True:
            try:
                piece = self.todo.popleft()
            except IndexError:
                return last
            try:
                self.kernel(*piece)
            except BaseException as error:
                self.error = error
            with self.count:
                self.left -= 1
                if self.left == 0:
                    self.finished.release()
                    last = True

    def wait(self) -> None:
        """Until every piece is done."""
        if self.left and COMPILING:
            spin_while(self.done, 0, _PAUSES)
        self.finished.acquire()


class _Helpers:
    """Daemon threads that wait for work."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self.asked = np.zeros(1, np.int64)  # how often somebody asked: seen without Python's lock
        self.never = np.zeros(1, np.int64)
        self.lock = threading.Lock()
        self.threads = 0

    def ask(self, call: _Call, count: int) -> None:
        with self.lock:
            while self.threads < count:
                threading.Thread(target=self.serve, name="kernel-helper", daemon=True).start()
                self.threads += 1
        for _ in range(count):
            self.calls.put(call)
        self.asked[0] += 1

    def serve(self) -> None:
        done = self.never.copy()
        while True:
            call = self.next_call(done)
            done = call.done if call.help() else self.never.copy()
            del call  # what it worked on may go

    def next_call(self, done: npt.NDArray[np.int64]) -> _Call:
        """The next call that asks for help; the last one's caller is told through `done`."""
        seen = int(self.asked[0])
        with contextlib.suppress(queue.Empty):
            call = self.calls.get_nowait()
            done[0] = 1
            return call
        if COMPILING and signal_and_spin(done, self.asked, seen, _PAUSES):
            spin_while(self.never, 0, _LOCK_HANDOVER)
        return self.calls.get()


_helpers = _Helpers()


def _forget() -> None:
    """Threads do not survive a fork: the child starts its own."""
    global _helpers
    _helpers = _Helpers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def run_pieces(
    kernel: Callable[..., Any], pieces: Sequence[tuple[Any, ...]], workers: int | None = None
) -> None:
    """kernel(*piece) for every piece, by at most `workers` threads, the caller among them.

    workers: as many as there are pieces, by default. Helpers that are busy elsewhere are not
    waited for: the caller does what nobody has begun. What a piece raises is raised here.
    """
    workers = len(pieces) if workers is None else min(workers, len(pieces))
    if workers < 2:
        for piece in pieces:
            kernel(*piece)
        return
    call = _Call(kernel, pieces)
    _helpers.ask(call, workers - 1)
    call.help()
    call.wait()
    if call.error is not None:
        raise call.error
