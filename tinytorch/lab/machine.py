"""This computer: processor, caches, libraries, and the peaks that were measured on it.

Peaks are readings of short loops, with their spread, never a maker's figures. Nothing is raced
here (see measure) and nothing is drawn (see plots).
"""

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.core.simd import COMPILING, compiled, registers
from tinytorch.core.simd.tiles import add_outer, store_tile, tile_shape, zero_tile

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}
_PACKAGES = ("numpy", "numba", "llvmlite", "scipy", "torch", "onnxruntime")
_DEPTH = 64  # outer products that the peak loop repeats: their operands stay in the first cache


def describe() -> dict[str, Any]:
    """The processor, its cores and caches (bytes), memory (bytes), system, and versions.

    What the system does not tell is None, or missing from `caches`; a package that is not
    installed is missing from `versions`.
    """
    return {
        "cpu": _cpu_model(),
        "architecture": platform.machine(),
        "cores": cores(),
        "vector_bytes": registers()[0],
        "caches": caches(),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": _versions(),
        "blas": _blas(),
    }


def cores() -> int:
    """How many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # absent on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def caches(folder: Path = _CACHES) -> dict[str, int]:
    """Bytes of the first core's data caches, as {"L1": ..., "L2": ...}; empty where unknown."""
    found = {}
    for index in sorted(folder.glob("index*")):
        try:
            level, kind, size = (
                (index / name).read_text().strip() for name in ("level", "type", "size")
            )
        except OSError:
            continue
        if kind != "Instruction" and size[:-1].isdigit():
            found[f"L{level}"] = int(size[:-1]) * _UNITS.get(size[-1], 1)
    return found


def arithmetic_peak(threads: int = 1, readings: int = 9, steps: int = 20_000) -> list[float]:
    """float32 GFLOP/s of a register tile that multiplies and adds out of the first cache.

    threads: how many run the loop at the same time. One entry per reading of about `steps` x 64
    outer products; take the best as the peak. Empty where Numba does not compile.
    """
    if not COMPILING:
        return []
    works = []
    for _ in range(threads):
        C = np.zeros((12, 128), np.float32)
        a, b = np.full(12 * _DEPTH, 1e-3, np.float32), np.full(128 * _DEPTH, 1e-3, np.float32)
        works.append((a, b, C, steps))
    _outer_products(*works[0][:3], 1)  # compiles
    tile = _tile_numbers(works[0][2])
    seconds = _together(_outer_products, works, readings)
    return [2e-9 * tile * _DEPTH * steps * threads / each for each in seconds]


def memory_bandwidth(threads: int = 1, readings: int = 7, size: int | None = None) -> list[float]:
    """GB/s of A = B + 3 C over arrays of `size` float32 each, 12 bytes an element.

    By default each array is as large as the last cache, or 64 MiB where that is larger or the
    cache is unknown, and at most a twelfth of the memory. Counted as in McCalpin's STREAM: a
    line that is fetched only to be overwritten is not counted.
    """
    if size is None:
        wanted = max([64 * 2**20, *caches().values()])
        size = min(wanted, (_memory() or 2**33) // 12) // 4
    A, B, C = (np.full(size, value, np.float32) for value in (0, 1, 2))
    cuts = [size * piece // threads for piece in range(threads + 1)]
    pieces = [slice(start, end) for start, end in pairwise(cuts)]
    _triad(A[:1], B[:1], C[:1])
    seconds = _together(_triad, [(A[p], B[p], C[p]) for p in pieces], readings)
    return [12e-9 * size / each for each in seconds]


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


def _together(
    kernel: Callable[..., Any], works: list[tuple[Any, ...]], readings: int
) -> list[float]:
    """Seconds until all of `works` are done, each by a thread of its own, `readings` times."""
    seconds = []
    with ThreadPoolExecutor(len(works)) as pool:
        for _ in range(readings + 1):
            start = time.perf_counter()
            list(pool.map(lambda work: kernel(*work), works))
            seconds.append(time.perf_counter() - start)
    return seconds[1:]  # the first one starts the threads and touches the memory


def _cpu_model() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or None
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or None)


def _memory() -> int | None:
    """Bytes of memory, free or not."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _blas() -> str:
    """Name and version of the library behind NumPy's `@`, as NumPy was built."""
    try:
        built: Any = np.show_config(mode="dicts")
        library = built["Build Dependencies"]["blas"]
        return f"{library['name']} {library['version']}"
    except (KeyError, TypeError):
        return "unknown"
