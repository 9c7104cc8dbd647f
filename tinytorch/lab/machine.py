"""This computer in one report: what it says about itself, and the peaks measured on it.

The report is kept for a day in the user's cache folder. The facts themselves come from `facts`,
the readings from `peaks`; both can be had from here by name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tinytorch.core.simd import COMPILING
from tinytorch.lab.facts import busy_elsewhere, caches, cores, describe
from tinytorch.lab.peaks import (
    Peak,
    arithmetic_peak,
    arithmetic_reader,
    memory_bandwidth,
    memory_reader,
    peak_of,
    triad_arrays,
    triad_size,
)

__all__ = [
    "Peak",
    "Report",
    "arithmetic_peak",
    "caches",
    "cores",
    "describe",
    "machine_report",
    "memory_bandwidth",
    "peak_of",
]

_SCHEMA = 1
_DAY, _BUSY = 24 * 60 * 60.0, 10 * 60.0  # seconds; readings of a busy computer are soon forgotten
_TURNS, _READINGS = 3, 5  # all peaks take turns, so that a disturbance does not meet one alone
_AGREE, _PATIENCE = 0.03, 9.0  # how close the three best readings are wanted, and for how long
NOT_COMPILED = "The arithmetic peak was not measured: Numba compiles nothing here."


@dataclass(frozen=True)
class Report:
    """What `machine_report` returns.

    facts: as `describe` returns them. arithmetic: "float32" and "float64" -> number of threads ->
    readings in GFLOP/s, empty where Numba does not compile. memory: number of threads -> readings
    in GB/s. Threads are 1 and all cores. measured_at: seconds since 1970. seconds: what the
    measurement took. disturbed: how many of our cores other programs used meanwhile, 0 where that
    is unknown. kept: whether it was read from the file of an earlier one.
    """

    facts: dict[str, Any]
    arithmetic: dict[str, dict[int, list[float]]]
    memory: dict[int, list[float]]
    measured_at: float
    seconds: float
    disturbed: float = 0.0
    kept: bool = False

    @property
    def busy(self) -> bool:
        """Whether others used so much that the peaks of all cores may be too low."""
        return self.disturbed > 0.25

    def gflops(self, dtype: str = "float32", threads: int | None = None) -> float | None:
        """The arithmetic peak, the best of its readings, by default of all cores; or None."""
        readings = self.arithmetic[dtype][threads or max(self.arithmetic[dtype])]
        return max(readings, default=None)

    def gb_per_second(self, threads: int | None = None) -> float | None:
        """The best bandwidth, by default of all cores."""
        return max(self.memory[threads or max(self.memory)], default=None)

    def lines(self) -> list[str]:
        """The report as sentences to print."""
        return [*_fact_lines(self.facts), "", *self._peak_lines(), "", self._when()]

    def as_json(self) -> dict[str, Any]:
        """The report as json writes it: numbers of threads become strings."""
        return json.loads(json.dumps(asdict(self)))

    def balance(self, threads: int | None = None) -> float | None:
        """float32 operations in the time of one byte from memory; None where it is unknown."""
        work, bytes_ = self.gflops("float32", threads), self.gb_per_second(threads)
        return work / bytes_ if work and bytes_ else None

    def _peak_lines(self) -> list[str]:
        rows = [
            *((dtype, threads, readings, "GFLOP/s")
              for dtype, by_threads in self.arithmetic.items()
              for threads, readings in by_threads.items()),
            *(("memory", threads, readings, "GB/s") for threads, readings in self.memory.items()),
        ]  # fmt: skip
        found = []
        for name, threads, readings, unit in rows:
            if (told := peak_of(readings)) is not None:
                found.append(
                    f"{name + ', ' + threads_of(threads):<20} {told.best:7.1f} {unit}, best of "
                    f"{told.number}; the middle half {told.low:.1f} to {told.high:.1f}"
                )
        balance = self.balance()
        if balance is None:
            return [*found, NOT_COMPILED]
        return [
            *found,
            f"One byte from memory takes as long as {balance:.2g} float32 operations "
            f"({threads_of(max(self.memory))}).",
        ]

    def _when(self) -> str:
        age = max(0.0, time.time() - self.measured_at) / 60
        told = f"{age:.0f} minutes" if age < 120 else f"{age / 60:.0f} hours"
        when = f"{told} ago, kept for a day" if self.kept else "just now"
        when = f"Measured {when}, in {self.seconds:.1f} seconds."
        if self.busy:
            when += (
                f" Others used {self.disturbed:.1f} of these cores meanwhile: the peaks may be "
                "higher. Measure again when the computer is quiet."
            )
        return when


def machine_report(fresh: bool = False, folder: Path | None = None) -> Report:
    """Facts and measured peaks of this computer, kept for a day. Measuring takes some seconds.

    What was measured while others used these cores is kept for ten minutes.

    fresh: measure again, whatever is kept. folder: where reports are kept, by default the user's
    own folder for caches. A file that is old, unreadable, or of another processor, number of
    cores or version is ignored; where none can be written, the next call measures again.
    """
    facts = describe()
    path = _path(facts, folder)
    kept = None if fresh or path is None else _read(path, facts)
    if kept is not None:
        return kept
    report = _measured(facts)
    if path is not None:
        _write(path, report)
    return report


def cache_folder() -> Path | None:
    """Where this user's programs keep what they can make again; None where there is no home."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    places = {
        "Darwin": home / "Library" / "Caches",
        "Windows": Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"),
    }
    other = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return places.get(platform.system(), other) / "tinytorch"


def threads_of(count: int) -> str:
    """ "1 thread", "2 threads"."""
    return f"{count} thread{'s' * (count > 1)}"


def _measured(facts: dict[str, Any]) -> Report:
    start, others = time.perf_counter(), busy_elsewhere()
    counts = sorted({1, cores()})
    arithmetic: dict[str, dict[int, list[float]]]
    arithmetic = {dtype: {count: [] for count in counts} for dtype in ("float32", "float64")}
    memory: dict[int, list[float]] = {count: [] for count in counts}
    arrays = triad_arrays(triad_size())
    readers: list[tuple[list[float], Callable[[], float] | None]] = [
        *((arithmetic[dtype][count], arithmetic_reader(count, dtype=dtype))
          for dtype in arithmetic for count in counts),
        *((memory[count], memory_reader(count, arrays=arrays)) for count in counts),
    ]  # fmt: skip
    turns = 0
    while turns < _TURNS or (
        time.perf_counter() - start < _PATIENCE and not all(_settled(r) for r, _ in readers)
    ):
        for readings, read in readers:
            if read is not None:
                readings += [float(f"{read():.5g}") for _ in range(_READINGS)]
        turns += 1
    seconds, others_then = time.perf_counter() - start, busy_elsewhere()
    disturbed = 0.0
    if others is not None and others_then is not None:
        free = (os.cpu_count() or 1) - cores()  # those that we may not use do not disturb
        disturbed = max(0.0, (others_then - others) / seconds - free)
    return Report(facts, arithmetic, memory, time.time(), seconds, disturbed)


def _settled(readings: list[float]) -> bool:
    """Whether the three best agree: a busy computer leaves few readings undisturbed."""
    best = sorted(readings)[-3:]
    return not best or best[0] >= (1 - _AGREE) * best[-1]


def _key(facts: dict[str, Any]) -> dict[str, Any]:
    """What a kept report must agree in to be this computer's."""
    return {"schema": _SCHEMA, "compiling": COMPILING, "facts": facts}


def _path(facts: dict[str, Any], folder: Path | None) -> Path | None:
    folder = folder or cache_folder()
    # A home may be shared by several computers: each has a file of its own.
    told = json.dumps(_key(facts), sort_keys=True).encode()
    return folder and folder / f"machine-{hashlib.sha256(told).hexdigest()[:12]}.json"


def _read(path: Path, facts: dict[str, Any]) -> Report | None:
    """The kept report; None unless it is whole, of this computer, and younger than a day."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["key"] != _key(facts):
            return None
        counts = sorted({1, cores()})
        least = 1 if COMPILING else 0
        arithmetic = {
            dtype: _numbers(told["arithmetic"][dtype], counts, least)
            for dtype in ("float32", "float64")
        }
        memory = _numbers(told["memory"], counts, 1)
        when, took, disturbed = (
            float(told[name]) for name in ("measured_at", "seconds", "disturbed")
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    report = Report(facts, arithmetic, memory, when, took, disturbed, kept=True)
    return report if 0 <= time.time() - when < (_BUSY if report.busy else _DAY) else None


def _numbers(by_threads: dict[str, Any], counts: list[int], least: int) -> dict[int, list[float]]:
    found = {count: [float(x) for x in by_threads[str(count)]] for count in counts}
    readings = [x for values in found.values() for x in values]
    if not all(math.isfinite(x) and x > 0 for x in readings):
        raise ValueError("a reading is a positive number")
    if any(len(values) < least for values in found.values()):
        raise ValueError("a peak has readings")
    return found


def _write(path: Path, report: Report) -> None:
    """Keep the report: all of it or nothing, and without a word where that cannot be done."""
    told = replace(report, facts={}).as_json() | {"key": _key(report.facts)}
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".machine-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(told, file)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise


def _fact_lines(facts: dict[str, Any]) -> list[str]:
    """What is known about the computer, one line each; "unknown" where it is not."""
    memory = f"{facts['memory'] / 2**30:.3g} GiB" if facts["memory"] else "unknown"
    wide = facts["vector_bytes"]
    threads = facts["blas_threads"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    count = facts["cores"]
    return [
        f"{'processor':<12} {facts['cpu'] or 'unknown'} ({facts['architecture']}), "
        f"{count} core{'s' * (count > 1)}",
        f"{'SIMD':<12} {facts['vector_registers']} registers of {wide} bytes: {wide // 4} float32 "
        f"or {wide // 8} float64 each",
        *(_cache_lines(facts["cache_details"])),
        f"{'memory':<12} {memory}",
        f"{'BLAS':<12} {facts['blas']}, {threads_of(threads) if threads else 'threads unknown'}",
        f"{'software':<12} Python {facts['python']}, {versions}; {facts['system']}",
    ]


def _cache_lines(details: list[dict[str, Any]]) -> list[str]:
    if not details:
        return [f"{'caches':<12} unknown: the system does not tell"]
    lines = []
    for cache in details:
        size, line, ways, shared = (cache[n] for n in ("size", "line", "ways", "shared_by"))
        told = [
            f"{size / 2**20:g} MiB" if size >= 2**20 else f"{size / 2**10:g} KiB",
            f"lines of {line} bytes" if line else "line unknown",
            f"{ways} ways" if ways else "ways unknown",
            f"shared by {shared} cores" if shared and shared > 1 else
            "of one core" if shared else "shared by whom is unknown",
        ]  # fmt: skip
        lines.append(f"{'cache L' + str(cache['level']):<12} {', '.join(told)}")
    return lines
