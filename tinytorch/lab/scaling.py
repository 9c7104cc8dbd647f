"""What more threads bring: Amdahl's law for a product, the memory's plateau for ReLU.

The start of the pool is measured apart. Drawn by sweep_plots.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tinytorch.lab.facts import blas_threads
from tinytorch.lab.machine import arithmetic_peak, cores
from tinytorch.lab.measure import race
from tinytorch.lab.rungs import as_ndarray, find, relu_size

_WIDE = 0.3  # between the quartiles of a serial fraction: too far apart to call
_FLAT = 0.9  # of the best bandwidth: from here on, more threads bring nothing


class Amdahl(NamedTuple):
    """Serial fraction of the work, 0 to 1, with the middle half of what single rounds say."""

    serial: float
    low: float
    high: float

    def speedup(self, threads: float) -> float:
        """Times faster than one thread, by Amdahl's law (1967)."""
        return 1 / (self.serial + (1 - self.serial) / threads)


class Scaling(NamedTuple):
    """Seconds by threads, one entry per round. product and relu are empty where they could not be
    measured. pool: a pool that is started, given nothing to do, and ended. relu_bytes: read and
    written by one call. busy: cores' worth of arithmetic that there was, where far from all."""

    cores: int
    product: dict[int, list[float]]
    relu: dict[int, list[float]]
    pool: dict[int, list[float]]
    relu_bytes: int
    notes: list[str]
    busy: float | None = None


def thread_counts(available: int) -> list[int]:
    """1 to the number of cores, at least up to 2; past 8 in larger steps."""
    most = max(2, available)
    steps = [*range(1, 9), *range(12, 33, 4), *range(48, most + 1, 16)]
    return sorted({count for count in steps if count <= most} | {most})


def measure_scaling(kernels: Any, n: int = 768, rounds: int = 15) -> Scaling:
    """Race a product of n by n matrices and a ReLU beyond the caches, by number of threads.

    kernels: a dict such as `globals()`, a module or a namespace, with `matmul_baseline` and
    `parallel_batch_processing` (bands of rows, one for each thread) and `parallel_relu`. What is
    not written, wrong or breaks is left out, and `notes` says so.
    """
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((2, n, n), dtype=np.float32)
    x = rng.standard_normal(relu_size(), dtype=np.float32)
    available = cores()
    counts = thread_counts(available)

    def product(threads: int) -> list[Any]:
        multiply = find(kernels, "matmul_baseline")
        pool = find(kernels, "parallel_batch_processing")
        bands = np.array_split(A, threads)
        return pool(bands, lambda band: multiply(band, B), num_workers=threads)

    def relu(threads: int) -> Any:
        return find(kernels, "parallel_relu")(x, num_workers=threads)

    def pool(threads: int) -> Any:
        run = find(kernels, "parallel_batch_processing")
        return run([None] * threads, lambda nothing: nothing, num_workers=threads)

    notes = []
    found: dict[str, dict[int, list[float]]] = {"product": {}, "relu": {}, "pool": {}}
    checks: dict[str, tuple[Callable[[int], Any], Callable[[Any], bool]]] = {
        "product": (
            product,
            lambda got: np.allclose(np.vstack([as_ndarray(c) for c in got]), A @ B, atol=1e-2),
        ),
        "relu": (relu, lambda got: np.array_equal(as_ndarray(got), np.maximum(x, 0))),
        "pool": (pool, lambda got: len(got) == 2),
    }
    for name, (run, right) in checks.items():
        try:
            if not right(run(2)):
                notes.append(f"{name}: left out, its result is wrong.")
                continue
            found[name] = race({count: partial(run, count) for count in counts}, rounds=rounds)
        except NotImplementedError as not_written:
            notes.append(f"{name}: left out, {not_written or 'it is not written yet'}.")
        except Exception as error:
            notes.append(f"{name}: left out, {type(error).__name__}: {error}.")
    if available == 1:
        notes.append("One core: two threads take turns on it, and no fit is possible.")
    busy = _busy_cores(available)
    if busy is not None:
        notes.append(
            f"{available} threads of plain arithmetic, without memory, were {busy:.1f} times as "
            "fast as one: the cores are shared with something else. Nothing is fitted to that."
        )
    if blas_threads() != 1:
        notes.append(
            "BLAS may use threads of its own here, also where it says 1: set OPENBLAS_NUM_THREADS=1"
            " before NumPy is imported."
        )
    return Scaling(
        available, found["product"], found["relu"], found["pool"], 2 * x.nbytes, notes, busy
    )


def _busy_cores(available: int) -> float | None:
    """How many cores' worth of arithmetic there was to be had, where that is far from all."""
    one, everyone = (arithmetic_peak(threads, readings=7) for threads in (1, available))
    if available == 1 or not one:
        return None
    gain = statistics.median(everyone) / max(one)
    return gain if gain < 0.75 * available else None


def fit_amdahl(
    seconds: Mapping[int, Sequence[float]],
    most: int,
    idle: Mapping[int, Sequence[float]] | None = None,
) -> Amdahl | None:
    """The serial fraction that fits best, from 1 to `most` threads; None where nothing can be fit.

    seconds: by threads, one entry per round, with 1 among them. idle: what the pool alone takes,
    whose median is taken off first. With t(w) / t(1) = s + (1 - s) / w, the fraction s is the
    slope of t(w) / t(1) - 1 / w over 1 - 1 / w, by least squares through zero; kept within 0..1.
    """
    counts = [w for w in sorted(seconds) if w <= most]
    if len(counts) < 2 or counts[0] != 1:
        return None
    start = {w: statistics.median(idle[w]) if idle and w in idle else 0.0 for w in counts}
    medians = {w: statistics.median(seconds[w]) - start[w] for w in counts}
    rounds = [{w: seconds[w][r] - start[w] for w in counts}
              for r in range(min(len(seconds[w]) for w in counts))]  # fmt: skip
    if medians[1] <= 0:
        return None  # the start of the pool is all that was measured
    fits = [_serial(times) for times in rounds if times[1] > 0]
    low, _, high = statistics.quantiles(fits, n=4) if len(fits) > 1 else fits * 3
    return Amdahl(_serial(medians), low, high)


def _serial(times: Mapping[int, float]) -> float:
    pairs = [(1 - 1 / w, t / times[1] - 1 / w) for w, t in times.items() if w > 1]
    slope = sum(x * y for x, y in pairs) / sum(x * x for x, _ in pairs)
    return min(1.0, max(0.0, slope))


def plateau(bandwidth: Mapping[int, float], most: int) -> int | None:
    """The fewest threads that reach 90 % of the best bandwidth; None if that takes all of them.

    bandwidth: by threads. most: the cores; what more threads do is not looked at.
    """
    within = {w: value for w, value in bandwidth.items() if w <= most}
    if len(within) < 2:
        return None
    enough = min(w for w, value in within.items() if value >= _FLAT * max(within.values()))
    return enough if enough < max(within) else None


def relu_bandwidth(scaling: Scaling) -> dict[int, float]:
    """GB/s read and written, by threads."""
    return {w: scaling.relu_bytes / statistics.median(times) * 1e-9
            for w, times in scaling.relu.items()}  # fmt: skip


def conclusion(scaling: Scaling) -> str:
    """The serial fraction, the plateau and what the pool costs, from the readings."""
    text = []
    most = scaling.cores
    if scaling.product:
        fit = fit_amdahl(scaling.product, most, scaling.pool)
        top = max(w for w in scaling.product if w <= max(2, most))
        gain = statistics.median(scaling.product[1]) / statistics.median(scaling.product[top])
        line = f"Product: {gain:.1f} times faster with {top} threads"
        if fit is None or scaling.busy is not None:
            text.append(f"{line}; no fit.")
        elif fit.high - fit.low > _WIDE:
            text.append(
                f"{line}; single rounds give serial fractions from {fit.low:.0%} to {fit.high:.0%} "
                "(middle half), too far apart to fit Amdahl's law: something else uses the cores."
            )
        elif fit.serial <= 0.005:
            text.append(f"{line}; no serial part is seen, single rounds say up to {fit.high:.0%}.")
        else:
            text.append(
                f"{line}; Amdahl's serial fraction {fit.serial:.0%} (middle half of the rounds "
                f"{fit.low:.0%} to {fit.high:.0%}): never more than {1 / fit.serial:.1f} times."
            )
    if scaling.relu:
        bandwidth = relu_bandwidth(scaling)
        enough = plateau(bandwidth, most)
        best = max(v for w, v in bandwidth.items() if w <= max(2, most))
        if most == 1 or scaling.busy is not None:
            text.append(f"ReLU: at best {best:.0f} GB/s.")
        elif enough is None:
            text.append(f"ReLU: at best {best:.0f} GB/s; no plateau up to {most} core"
                        f"{'s' * (most > 1)}.")  # fmt: skip
        else:
            threads = "one thread reaches" if enough == 1 else f"{enough} threads reach"
            text.append(
                f"ReLU: at best {best:.0f} GB/s; {threads} nine tenths of it, and more wait for "
                "the same memory."
            )
    if scaling.pool:
        top = max(scaling.pool)
        text.append(
            f"A pool of {top} takes {statistics.median(scaling.pool[top]) * 1e6:,.0f} µs to start "
            "and end, in every call."
        )
    return "\n".join([*text, *scaling.notes])
