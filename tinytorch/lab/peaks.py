"""The peaks of this computer, measured by short loops: arithmetic and memory bandwidth.

Readings, never a maker's figures. What they are read against is the business of others.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinytorch.core.simd import COMPILING, compiled
from tinytorch.core.simd.tiles import add_outer, store_tile, tile_shape, zero_tile
from tinytorch.lab.facts import caches, memory_to_spare

_DEPTH = 64  # outer products that the peak loop repeats: their operands stay in the first cache
_LEAST = 64 * 2**20  # bytes of each array of the triad, unless a cache is larger
_MOST = 256 * 2**20  # a part of a large server is told of a cache that it shares with all others
_CHUNK = 2**14  # numbers of the triad without a compiler: what NumPy keeps in a cache between steps

Triad = tuple[np.ndarray, np.ndarray, np.ndarray]


class Peak(NamedTuple):
    """Readings in short: the largest, the quartiles, and how many there are."""

    best: float
    low: float
    median: float
    high: float
    number: int


def peak_of(readings: Sequence[float]) -> Peak | None:
    """Largest, quartiles and number of readings; None without any.

    The largest is the peak: whatever disturbs a reading makes it smaller.
    """
    if not readings:
        return None
    middle = statistics.median(readings)
    low, _, high = statistics.quantiles(readings, n=4) if len(readings) > 1 else [middle] * 3
    return Peak(max(readings), low, middle, high, len(readings))


def arithmetic_peak(
    threads: int = 1, readings: int = 9, steps: int = 20_000, dtype: npt.DTypeLike = np.float32
) -> list[float]:
    """GFLOP/s of a register tile that multiplies and adds out of the first cache.

    threads: how many run the loop at the same time. dtype: float32 or float64. One entry per
    reading of about `steps` x 64 outer products; take the best as the peak. Empty where Numba
    does not compile.
    """
    read = arithmetic_reader(threads, steps, dtype)
    return [] if read is None else [read() for _ in range(readings)]


def memory_bandwidth(threads: int = 1, readings: int = 7, size: int | None = None) -> list[float]:
    """GB/s of A = B + 3 C over arrays of `size` float32 each, 12 bytes an element.

    By default each array is twice as large as the last cache, but at least 64 MiB (also where the
    cache is unknown) and at most 256 MiB, and all three at most an eighth of the free memory.
    Counted as in McCalpin's STREAM: a line that is fetched only to be overwritten is not counted.
    """
    read = memory_reader(threads, size)
    return [read() for _ in range(readings)]


def arithmetic_reader(
    threads: int = 1, steps: int = 20_000, dtype: npt.DTypeLike = np.float32
) -> Callable[[], float] | None:
    """A function that takes one reading of `arithmetic_peak`; None where Numba does not compile."""
    if not COMPILING:
        return None
    works = []
    for _ in range(threads):
        C = np.zeros((12, 128), dtype)
        a, b = np.full(12 * _DEPTH, 1e-3, dtype), np.full(128 * _DEPTH, 1e-3, dtype)
        works.append((a, b, C, steps))
    _outer_products(*works[0][:3], 1)  # compiles
    flops = 2 * _tile_numbers(works[0][2]) * _DEPTH * steps * threads
    seconds = _together(_outer_products, works)
    return lambda: 1e-9 * flops / seconds()


def memory_reader(
    threads: int = 1, size: int | None = None, arrays: Triad | None = None
) -> Callable[[], float]:
    """A function that takes one reading of `memory_bandwidth`.

    arrays: from `triad_arrays`, for readers that take turns; else it makes and holds its own.
    """
    A, B, C = arrays or triad_arrays(triad_size() if size is None else size)
    size = A.size
    cuts = [size * piece // threads for piece in range(threads + 1)]
    triad = _triad if COMPILING else _triad_by_numpy
    triad(A[:1], B[:1], C[:1])
    seconds = _together(triad, [(A[i:j], B[i:j], C[i:j]) for i, j in pairwise(cuts)])
    return lambda: 12e-9 * size / seconds()


def triad_size() -> int:
    """Numbers in each array of the triad: twice the last cache, as far as there is room."""
    wanted = min(_MOST, max([_LEAST, *(2 * size for size in caches().values())]))
    return max(1, min(wanted, memory_to_spare() // 3) // 4)


def triad_arrays(size: int) -> Triad:
    """A, B and C of `size` float32 each: zeros, ones, twos. Smaller where memory is refused."""
    while True:
        try:
            A, B, C = (np.full(size, value, np.float32) for value in (0, 1, 2))
            return A, B, C
        except MemoryError:  # a limit that memory_to_spare does not know of
            if size < 2**10:
                raise
            size //= 2


@compiled
def _outer_products(a, b, C, steps):  # type: ignore[no-untyped-def]
    tall, wide = tile_shape(C)
    for _ in range(steps):
        tile = zero_tile(C)
        for q in range(_DEPTH):
            tile = add_outer(tile, a, q * tall, 1, b, q * wide)
        store_tile(tile, C, 0, 0)


@compiled
def _tile_numbers(C):  # type: ignore[no-untyped-def]
    tall, wide = tile_shape(C)
    return tall * wide


@compiled
def _triad(A, B, C):  # type: ignore[no-untyped-def]
    three = A.dtype.type(3)
    for i in range(A.size):
        A[i] = B[i] + three * C[i]


def _triad_by_numpy(A: np.ndarray, B: np.ndarray, C: np.ndarray) -> None:
    """The triad without a compiler: two steps, by chunks that stay in a cache between them."""
    for start in range(0, A.size, _CHUNK):
        piece = slice(start, start + _CHUNK)
        np.multiply(C[piece], np.float32(3), out=A[piece])
        np.add(A[piece], B[piece], out=A[piece])


def _together(kernel: Callable[..., Any], works: list[tuple[Any, ...]]) -> Callable[[], float]:
    """A function that returns the seconds until all of `works` are done, each by its own thread."""
    pool = ThreadPoolExecutor(len(works))  # its threads end when nobody holds the function

    def seconds() -> float:
        start = time.perf_counter()
        list(pool.map(lambda work: kernel(*work), works))
        return time.perf_counter() - start

    seconds()  # starts the threads and touches the memory
    return seconds
