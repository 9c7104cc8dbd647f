"""The cache ladder: how fast data comes, by how much of it there is.

Bandwidth by reading an array again and again, latency by loads that wait for each other, both in
compiled loops on one thread. Measured and concluded here; drawn in cache_ladder_plots.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinytorch.core.simd import COMPILING, compiled
from tinytorch.lab.facts import data_caches, memory_to_spare

KIB, MIB = 2**10, 2**20
NOT_COMPILED = (
    "The cache ladder was not measured: Numba compiles nothing here (NUMBA_DISABLE_JIT is set), "
    "and a Python loop is slower than every cache."
)
NO_ROOM = "The cache ladder was not measured: there is no memory to spare."
_PAGE = 2 * MIB  # a large page: the array starts at one, so that few addresses need looking up
_READING = 3e-3  # seconds
_MOST_STEPS = 2**20  # of the walk that fills the caches before a reading
_ONCE = 64 * MIB  # beyond, latency is read in one sweep: laying out its cycle takes longest
_RISE, _WITHIN = 1.4, 4  # a cliff: so many times the latency of at most four sizes before
_FLAT = 1.12  # where one point is at most so many times the last, the next step begins
_AGREES = 2.0  # a cliff and a reported size are the same within this factor


class Cliff(NamedTuple):
    """Where the latency leaves a step. last: bytes that still fit; ns before and after it."""

    last: int
    before: float
    after: float


@dataclass(frozen=True)
class CacheLadder:
    """What `cache_ladder` measured, one entry for each size.

    sizes: bytes of the working set. bandwidth: readings in GB/s. latency: readings in ns a load.
    caches: name -> bytes, as the system reports them. All empty where nothing could be measured;
    `missing` says why.
    """

    sizes: list[int] = field(default_factory=list)
    bandwidth: list[list[float]] = field(default_factory=list)
    latency: list[list[float]] = field(default_factory=list)
    caches: dict[str, int] = field(default_factory=dict)
    missing: str = ""

    @property
    def best_bandwidth(self) -> list[float]:
        """The largest reading of each size: whatever disturbs one makes it smaller."""
        return [max(readings) for readings in self.bandwidth]

    @property
    def best_latency(self) -> list[float]:
        """The smallest reading of each size."""
        return [min(readings) for readings in self.latency]

    def cliffs(self) -> list[Cliff]:
        """The sizes beyond which a load waits much longer, smallest first."""
        return cliffs_of(self.sizes, self.best_latency)

    def slowdowns(self) -> list[int]:
        """The sizes in bytes beyond which data read in order comes much slower."""
        per_byte = [1 / bandwidth for bandwidth in self.best_bandwidth]
        return [cliff.last for cliff in cliffs_of(self.sizes, per_byte)]

    def agrees(self) -> dict[str, bool]:
        """Name of each reported cache -> whether a curve falls within a factor of two of its size.

        Caches too large for the fall behind them to be seen are left out.
        """
        falls = [*(cliff.last for cliff in self.cliffs()), *self.slowdowns()]
        return {
            name: any(_alike(last, size) for last in falls)
            for name, size in self.caches.items()
            if self.sizes and size * _AGREES <= self.sizes[-1]
        }

    def conclusion(self) -> list[str]:
        """Where the cliffs are, whether the reported sizes agree, what memory costs: sentences."""
        if not self.sizes:
            return [self.missing]
        return [self._where(), self._agreement(), self._cost()]

    def _where(self) -> str:
        cliffs = [bytes_of(cliff.last) for cliff in self.cliffs()]
        slower = [bytes_of(size) for size in self.slowdowns()]
        waits = f"A load waits longer beyond {_listed(cliffs)}" if cliffs else "No load waits long"
        comes = f"comes slower beyond {_listed(slower)}" if slower else "comes as fast throughout"
        return f"{waits}; data read in order {comes}."

    def _agreement(self) -> str:
        told = {
            wanted: [f"{name} ({bytes_of(self.caches[name])})" for name, agrees in
                     self.agrees().items() if agrees is wanted]
            for wanted in (True, False)
        }  # fmt: skip
        if not self.caches:
            return "The system does not report its caches: these cliffs are what tells of them."
        if told[True] and told[False]:
            said = (f"The reported {_listed(told[True])} agree{'' if told[True][1:] else 's'}, "
                    f"within a factor of two; {_listed(told[False])} not.")  # fmt: skip
        elif told[True]:
            said = f"That agrees with the reported {_listed(told[True])}, within a factor of two."
        elif told[False]:
            said = f"That does not agree with the reported {_listed(told[False])}."
        else:
            return "The reported caches are too large for these sizes to show."
        strange = [
            bytes_of(cliff.last)
            for cliff in self.cliffs()
            if not any(_alike(cliff.last, size) for size in self.caches.values())
        ]
        if strange:
            said += (
                f" No cache of {_listed(strange)} is reported: others may use a larger one too, or "
                "finding the address (TLB) may cost more than the load."
            )
        return said

    def _cost(self) -> str:
        latency, bandwidth = self.best_latency, self.best_bandwidth
        waits, slower = latency[-1] / latency[0], max(bandwidth) / bandwidth[-1]
        return (
            f"From {bytes_of(self.sizes[-1])}, a load waits {waits:.3g} times as long as from "
            f"{bytes_of(self.sizes[0])}; read in order, data comes {slower:.2g} times slower."
        )


def cache_ladder(
    smallest: int = 4 * KIB, largest: int = 256 * MIB, readings: int = 5
) -> CacheLadder:
    """Measure bandwidth and latency of one thread by working set; a few seconds.

    smallest, largest: bytes; the largest is cut to an eighth of the free memory. Two sizes for
    each doubling. readings: of each size in each of two sweeps, up and down.

    A latency is that of loads through a random cycle, one cache line apart, each of which needs
    the value of the last (as in lmbench's lat_mem_rd, McVoy and Staelin 1996, but in random order,
    which no prefetcher follows). Beyond some MiB it includes the search for the address (TLB).

    Never raises for what the computer lacks: the ladder is then empty, and `missing` says why.
    ValueError unless 1024 <= smallest <= largest and readings >= 1.
    """
    if not 1024 <= smallest <= largest or readings < 1:
        raise ValueError(
            f"a ladder needs 1024 <= smallest <= largest and readings >= 1, got {smallest}, "
            f"{largest} and {readings}"
        )
    details = data_caches()
    caches = {f"L{cache.level}": cache.size for cache in details}
    if not COMPILING:
        return CacheLadder(caches=caches, missing=NOT_COMPILED)
    line = max((cache.line or 0 for cache in details), default=0) or 64
    memory = _memory(smallest, min(largest, memory_to_spare()))
    if memory is None:
        return CacheLadder(caches=caches, missing=NO_ROOM)
    sizes = _sizes(smallest, memory.nbytes, line)
    bandwidth: list[list[float]] = [[] for _ in sizes]
    latency: list[list[float]] = [[] for _ in sizes]
    rng = np.random.default_rng(0)
    _read_bandwidth(memory[:128], 1), _read_latency(memory[:128], line, 1, rng)  # compiles
    for order in (range(len(sizes)), reversed(range(len(sizes)))):
        for place in order:
            part = memory[: sizes[place] // 8]
            if not latency[place] or sizes[place] <= _ONCE:
                latency[place] += _read_latency(part, line, readings, rng)
            bandwidth[place] += _read_bandwidth(part, readings)
    return CacheLadder(sizes, bandwidth, latency, caches)


def cliffs_of(sizes: Sequence[int], latency: Sequence[float]) -> list[Cliff]:
    """Where a rising curve leaves one step for the next one.

    The curve leaves where two points in a row are 1.4 times as high as one of the four points
    before; the last size below is the cliff. The next step begins where the curve is flat again.
    A slow climb over several doublings is no cliff.
    """
    found: list[Cliff] = []
    first, at = 0, 1
    while at + 1 < len(sizes):
        step = min(latency[max(first, at - _WITHIN) : at])
        if min(latency[at], latency[at + 1]) < _RISE * step:
            at += 1
            continue
        end = at
        while end + 1 < len(sizes) and latency[end + 1] > _FLAT * latency[end]:
            end += 1
        found.append(Cliff(sizes[at - 1], step, latency[end]))
        first, at = end, end + 1
    return found


def _alike(size: float, other: float) -> bool:
    return other / _AGREES <= size <= other * _AGREES


def bytes_of(size: float) -> str:
    """ "32 KiB", "2.8 MiB"."""
    for unit, factor in (("GiB", 2**30), ("MiB", MIB), ("KiB", KIB)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size:g} B"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def _sizes(smallest: int, largest: int, line: int) -> list[int]:
    """Two for each doubling, whole cache lines."""
    steps = int(2 * math.log2(largest / smallest) + 1e-9)
    return [int(smallest * 2 ** (step / 2)) // line * line for step in range(steps + 1)]


def _memory(smallest: int, wanted: int) -> np.ndarray | None:
    """As many int64 as there is room for, from the start of a large page on; None without room."""
    while wanted >= smallest:
        try:
            room = np.empty((wanted + _PAGE) // 8, np.int64)
        except MemoryError:
            wanted //= 2
            continue
        skipped = -room.ctypes.data % _PAGE // 8
        memory = room[skipped : skipped + wanted // 8]
        memory.fill(0)  # its pages are there from now on
        return memory
    return None


def _read_bandwidth(part: np.ndarray, readings: int) -> list[float]:
    """GB/s of reading all of `part`."""
    passes = 1
    while (spent := _seconds(_sum_of, part, passes)) < _READING / 2:
        passes = max(2 * passes, int(passes * _READING / max(spent, 1e-6)))
    return [1e-9 * part.nbytes * passes / _seconds(_sum_of, part, passes) for _ in range(readings)]


def _read_latency(
    part: np.ndarray, line: int, readings: int, rng: np.random.Generator
) -> list[float]:
    """ns a load of a walk through all the lines of `part`, in random order."""
    stride = line // 8
    order = rng.permutation(part.size // stride).astype(np.int64) * stride
    part[order] = np.roll(order, -1)
    follow = part.view(np.uint64)
    at = _walk(follow, 0, min(order.size, _MOST_STEPS))  # fills the caches
    steps, found = 1000, []
    while True:
        start = time.perf_counter()
        at = _walk(follow, at, steps)  # from where the last one stopped: new lines, if there are
        spent = time.perf_counter() - start
        if spent >= _READING / 2:
            break
        steps = max(2 * steps, int(steps * _READING / max(spent, 1e-6)))
    for _ in range(readings):
        start = time.perf_counter()
        at = _walk(follow, at, steps)
        found.append(1e9 * (time.perf_counter() - start) / steps)
    return found


def _seconds(kernel: Any, part: np.ndarray, passes: int) -> float:
    start = time.perf_counter()
    kernel(part, passes)
    return time.perf_counter() - start


@compiled
def _sum_of(part, passes):  # type: ignore[no-untyped-def]
    total = 0
    for _ in range(passes):
        for i in range(part.size):  # integers: a sum that the compiler may reorder
            total += part[i]
    return total


@compiled
def _walk(follow, at, steps):  # type: ignore[no-untyped-def]
    place = np.uint64(at)  # unsigned: an index below zero costs a comparison before each load
    for _ in range(steps):
        place = follow[place]
    return np.int64(place)
