"""The roofline: two measured ceilings, and which of them limits each of the reader's kernels.

A kernel that does I operations per byte cannot be faster than min(arithmetic peak, I x memory
bandwidth) (Williams, Waterman and Patterson 2009). Drawn by roofline_plots.
"""

import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from tinytorch.core.simd import COMPILING, compiled
from tinytorch.core.simd.int8 import RECIPE, add_dots, store_sums, zero_sums
from tinytorch.lab.byte_model import Work, model_table
from tinytorch.lab.machine import arithmetic_peak, cores, memory_bandwidth
from tinytorch.lab.measure import race
from tinytorch.lab.rungs import (
    Reading,
    matmul_rungs,
    measure_rungs,
    relu_rungs,
    relu_size,
    sparse_rungs,
)

NEAR = 0.5  # of a roof: from here on, the roof is what limits
_DEPTH = 64  # dot products that the integer loop repeats out of the first cache

_LADDER_ONLY = ("Python loops i-k-j", "int8 through float32")  # points that would hide others


class Roofs(NamedTuple):
    """What was measured for one number of threads: GFLOP/s (or 10^9 int8 operations), and GB/s.

    Without a compiler, arithmetic is that of NumPy's `@`, and integer is None.
    """

    threads: int
    arithmetic: float
    memory: float
    integer: float | None = None

    @property
    def ridge(self) -> float:
        """Operations per byte at which both roofs allow the same speed."""
        return self.arithmetic / self.memory

    def peak(self, kind: str) -> float:
        """The arithmetic roof for operations of this kind."""
        return self.integer if kind == "int8" and self.integer else self.arithmetic

    def allowed(self, work: Work) -> float:
        """Highest speed that the roofs leave, in 10^9 operations per second."""
        return min(self.peak(work.kind), work.intensity * self.memory)


class Costs(NamedTuple):
    """Seconds that are no operation. loop_step: of an empty Python loop. page_byte: of a byte in
    new memory, beyond that of writing it, for a result of `page_array` bytes; a much smaller one
    gets memory that was used before."""

    loop_step: float
    page_byte: float
    page_array: float = 0.0


class Point(NamedTuple):
    """One kernel. speed: 10^9 operations per second. share: of what its roof allows.

    limit: "memory roof", "arithmetic roof", or "neither: " and what the data point to.
    """

    name: str
    size: int
    work: Work
    threads: int
    speed: float
    share: float
    limit: str


class Roofline(NamedTuple):
    """All that was measured. roofs: one thread first, then all threads where there are more."""

    roofs: list[Roofs]
    points: list[Point]
    notes: list[str]

    def byte_models(self) -> str:
        """The table of what was counted for each point."""
        return model_table((p.name, _size(p), p.work) for p in self.points)


def limit_of(reading: Reading, roofs: Roofs, costs: Costs) -> tuple[str, float]:
    """What limits a kernel, and its share of the speed that its roof allows.

    Best readings are compared with best readings, so that a busy machine counts least. At `NEAR`
    of its roof or above it, the roof is the limit. Below both it is "the interpreter" if an
    operation takes half a step of an empty Python loop or longer; "new pages" if the kernel would
    be near its roof but for what new memory for the result costs; else "calls and other
    instructions".
    """
    work, speed = reading.work, reading.best_speed * 1e-9
    share = speed / roofs.allowed(work)
    if share >= NEAR:
        by_memory = work.intensity * roofs.memory < roofs.peak(work.kind)
        return ("memory roof" if by_memory else "arithmetic roof"), share
    if reading.threads / reading.best_speed >= costs.loop_step / 2:
        return "neither: the interpreter", share
    seconds = min(reading.seconds)
    fresh = costs.page_byte * work.result if work.result >= costs.page_array / 2 else 0.0
    if fresh and seconds - fresh <= seconds * share / NEAR:
        return "neither: new pages", share
    return "neither: calls and other instructions", share


def measure_roofs(threads: int = 1) -> Roofs:
    """The roofs for that many threads: the best of several readings each."""
    if COMPILING:
        peak, integer = arithmetic_peak(threads), integer_peak(threads)
        return Roofs(threads, max(peak), max(memory_bandwidth(threads)), max(integer))
    # The compiled loops would run element by element: NumPy's stand in for them.
    a, b = np.ones((2, 2**22), np.float32)
    A = np.ones((512, 512), np.float32)
    times = race({"copy": lambda: np.copyto(a, b), "@": lambda: A @ A}, rounds=7)
    memory = 2e-9 * a.nbytes / min(times["copy"])
    return Roofs(threads, 2e-9 * len(A) ** 3 / min(times["@"]), memory)


def _higher(a: Roofs, b: Roofs) -> Roofs:
    integer = max(a.integer, b.integer) if a.integer and b.integer else None
    return Roofs(a.threads, max(a[1], b[1]), max(a[2], b[2]), integer)


def measure_roofline(kernels: Any, rounds: int = 9) -> Roofline:
    """Measure the roofs of this machine and every kernel that is there.

    kernels: a dict such as `globals()`, a module or a namespace. What is not written, wrong or
    breaks is left out, and `notes` says so. Never raises for what the machine does not have.
    """
    everyone = cores()
    # Without a compiler the roof is BLAS's, whose threads cannot be chosen here.
    crews = sorted({1, everyone}) if COMPILING else [1]
    before = [measure_roofs(threads) for threads in crews]
    rungs = [*matmul_rungs(kernels), *sparse_rungs(kernels)]
    rungs += [rung._replace(name=f"ReLU {rung.name}") for rung in relu_rungs(kernels)]
    chosen = [rung for rung in rungs if rung.name not in _LADDER_ONLY]
    readings, notes = measure_rungs(chosen, rounds)
    # Again: what else runs on the machine should not pull the roofs below the kernels.
    roofs = [_higher(old, measure_roofs(old.threads)) for old in before]
    if not COMPILING:
        notes.append("Numba does not compile here: the roofs are NumPy's product and NumPy's copy.")
    if everyone == 1:
        notes.append("One core: there is no second roof for more threads.")
    if len(roofs) > 1 and roofs[1].arithmetic < 1.2 * roofs[0].arithmetic:
        notes.append(
            f"{everyone} threads computed hardly faster than one: something else uses the cores, "
            "or they are not whole cores."
        )
    points = points_under(readings, roofs, measure_costs())
    if any(point.share > 1.05 for point in points):
        notes.append(
            "Above 100 % of a roof: the machine was busier while the roof was measured than while "
            "the kernel was. Measure again when nothing else runs."
        )
    return Roofline(roofs, points, notes)


def points_under(readings: Sequence[Reading], roofs: Sequence[Roofs], costs: Costs) -> list[Point]:
    """Each reading as a point, judged against the roofs of as many threads as it may use."""
    points = []
    for reading in readings:
        mine = next((r for r in roofs if r.threads >= reading.threads), roofs[-1])
        limit, share = limit_of(reading, mine, costs)
        points.append(Point(*reading[:4], reading.best_speed * 1e-9, share, limit))
    return points


def measure_costs(steps: int = 100_000) -> Costs:
    """A step of an empty loop, and what new memory costs an array of the size of ReLU's."""

    def loop() -> None:
        for _ in range(steps):
            pass

    ready = np.ones(relu_size(), np.float32)
    times = race(
        {
            "loop": loop,
            "ready": lambda: ready.fill(1),
            "new": lambda: np.empty_like(ready).fill(1),
        },
        rounds=5,
    )
    seconds = {name: statistics.median(each) for name, each in times.items()}
    beyond = max(0.0, seconds["new"] - seconds["ready"])
    return Costs(min(times["loop"]) / steps, beyond / ready.nbytes, ready.nbytes)


def conclusion(roofline: Roofline) -> str:
    """What the points say: where the roofs meet, who is under which, who is far below both."""
    one = roofline.roofs[0]
    text = [
        f"One thread: {one.arithmetic:.0f} GFLOP/s and {one.memory:.0f} GB/s; they meet at "
        f"{one.ridge:.2g} operations per byte."
    ]
    groups: dict[str, list[Point]] = {}
    for point in sorted(roofline.points, key=lambda p: p.share):
        groups.setdefault(point.limit, []).append(point)
    for roof in ("arithmetic roof", "memory roof"):
        if roof in groups:
            text.append(f"The {roof} limits {_names(groups.pop(roof))}.")
    for limit, members in groups.items():
        reason = limit.removeprefix("neither: ")
        times = f"{1 / members[0].share:,.{0 if members[0].share < 0.1 else 1}f}"
        text.append(f"Below both for {reason}: {_names(members)}, by up to {times} times.")
    return " ".join(text)


def _names(points: Sequence[Point]) -> str:
    names = [point.name for point in points]
    # One kernel on one thread and on more is one name.
    *most, last = (n for n in names if n.partition(" (")[0] not in names or " (" not in n)
    return f"{', '.join(most)} and {last}" if most else last


def integer_peak(threads: int = 1, readings: int = 9, steps: int = 20_000) -> list[float]:
    """10^9 int8 operations per second of register tiles; empty without a compiler.

    Counted as in a product: a multiplication and an addition for each pair of levels.
    """
    if not COMPILING:
        return []
    tall, wide = RECIPE.rows, RECIPE.lanes * RECIPE.vectors
    a, b = np.ones(tall * _DEPTH, np.uint32), np.ones(wide * _DEPTH, np.uint32)

    def dots(count: int) -> None:
        _dot_products(a, b, np.empty(tall * wide, np.int32), tall, wide, count)

    dots(1)  # compiles
    with ThreadPoolExecutor(threads) as pool:
        (seconds,) = race(
            {"dots": lambda: list(pool.map(dots, [steps] * threads))}, readings, 1
        ).values()
    operations = 2 * RECIPE.group * tall * wide * _DEPTH * steps * threads
    return [1e-9 * operations / each for each in seconds]


@compiled
def _dot_products(a, b, sums, tall, wide, steps):  # type: ignore[no-untyped-def]
    for _ in range(steps):
        tile = zero_sums()
        for q in range(_DEPTH):
            tile = add_dots(tile, a, q * tall, b, q * wide)
        store_sums(tile, sums)


def _size(point: Point) -> str:
    return f"{point.size:,}" if "ReLU" in point.name else f"{point.size}²"
