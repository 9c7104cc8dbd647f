"""What this computer says about itself: processor, cores, caches, memory, libraries.

Nothing is measured here (see peaks), and what a system hides is None, never an error.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.lab.cache_facts import LINUX, data_caches, from_sysfs, sysctl

_PACKAGES = ("numpy", "numba", "llvmlite", "scipy", "torch", "onnxruntime")
# How far a container may go: control groups of version 2, then of version 1.
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
# The variables that hold BLAS to a number of threads, the most particular one first.
_THREAD_VARIABLES = {
    "openblas": ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"),
    "mkl": ("MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    "accelerate": ("VECLIB_MAXIMUM_THREADS",),
}


def describe() -> dict[str, Any]:
    """The processor, its cores and caches (bytes), memory (bytes), system, and versions.

    "caches" is {"L1": bytes, ...}, "cache_details" a dict with level, size, line, ways and
    shared_by for each of them, "vector_bytes" the width of a SIMD register. What the system does
    not tell is None, or missing from `caches`; a package that is not installed is missing from
    `versions`. Only what json can write.
    """
    from tinytorch.core.simd import registers  # brings Numba along: most callers ask for less

    width, count = registers()
    details = data_caches()
    return {
        "cpu": cpu_name(),
        "architecture": platform.machine(),
        "cores": cores(),
        "vector_bytes": width,
        "vector_registers": count,
        "caches": {f"L{cache.level}": cache.size for cache in details},
        "cache_details": [cache._asdict() for cache in details],
        "memory": memory(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": _versions(),
        "blas": blas(),
        "blas_threads": blas_threads(),
    }


def cores() -> int:
    """How many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # absent on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def caches(folder: Path | None = None) -> dict[str, int]:
    """Bytes of the first core's data caches, as {"L1": ..., "L2": ...}; empty where unknown.

    folder: where a Linux describes them, in place of asking this system.
    """
    found = data_caches() if folder in (None, LINUX) else from_sysfs(Path(folder or LINUX))
    return {f"L{cache.level}": cache.size for cache in found}


def cpu_name() -> str | None:
    """The processor's name as its maker calls it; None where it has none."""
    if platform.system() == "Darwin":
        return sysctl().get("machdep.cpu.brand_string") or platform.processor() or None
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or None
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or None)


def memory() -> int | None:
    """Bytes of memory that this process may use, free or not: a container's limit counts."""
    known = [size for size in (_installed(), *map(_limit, _LIMITS)) if size]
    return min(known, default=None)


def memory_to_spare() -> int:
    """Bytes that a measurement may take without pressing anybody: an eighth of what is free.

    Where the system does not tell what is free, an eighth of all; where it tells nothing, 256 MiB.
    """
    known = [size for size in (memory(), _free()) if size]
    return min(known, default=2**31) // 8


def busy_elsewhere() -> float | None:
    """Seconds of processor time that other programs have used since the start; None if unknown."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            used = [int(number) for number in file.readline().split()[1:]]
        waiting = used[3] + used[4]
        return (sum(used) - waiting) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:2])
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def blas() -> str:
    """Name and version of the library behind NumPy's `@`, as NumPy was built."""
    try:
        built: Any = np.show_config(mode="dicts")
        library = built["Build Dependencies"]["blas"]
        return f"{library['name']} {library['version']}".strip()
    except (KeyError, TypeError):
        return "unknown"


def blas_threads() -> int | None:
    """How many threads `@` uses at most; None where neither it nor the environment tells.

    threadpoolctl, where it is installed, asks the library itself. Without it, the environment
    tells only where it limits them: by itself, a BLAS takes one thread for each core.
    """
    try:
        inspect = importlib.import_module("threadpoolctl")
        np.ones((1, 1)) @ np.ones((1, 1))  # loads the library
        counts = [p["num_threads"] for p in inspect.threadpool_info() if p["user_api"] == "blas"]
    except Exception:  # it is no dependency: whatever fails in it costs one fact
        counts = []
    if counts:
        return max(counts)
    names = next((v for library, v in _THREAD_VARIABLES.items() if library in blas().lower()), ())
    told = (os.environ.get(name, "") for name in names)
    return next((int(text) for text in told if text.isdecimal() and int(text) > 0), None)


def _installed() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return _windows_memory(1)


def _free() -> int | None:
    """Bytes that are free or that the system would free for us."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        told = next(line.split()[1] for line in lines if line.startswith("MemAvailable"))
        return int(told) * 1024
    except (OSError, StopIteration, IndexError, ValueError):
        return _windows_memory(2)


def _windows_memory(place: int) -> int | None:
    """The 64-bit number at a place of MEMORYSTATUSEX: 1 is all of the memory, 2 what is free."""
    try:
        tell = ctypes.windll.kernel32.GlobalMemoryStatusEx  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    status = (ctypes.c_uint64 * 8)(64)  # its first number is its own size
    return int(status[place]) or None if tell(ctypes.byref(status)) else None


def _limit(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None  # "max" is no limit


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
