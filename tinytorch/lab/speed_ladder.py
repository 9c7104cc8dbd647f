"""The ladder of speed: one problem, from Python loops to int8, in operations per second.

The reader's own kernels take the place of a quoted table. A slow rung runs a smaller problem; rates
make the rungs comparable, and no time is extrapolated. Drawn by ladder_plots.
"""

from typing import Any, NamedTuple

from tinytorch.lab.rungs import Reading, matmul_rungs, measure_rungs, relu_rungs
from tinytorch.lab.wording import times_text


class Ladder(NamedTuple):
    """Readings of one problem in the order of its rungs, and what was left out. unit: of a rate.

    problem: "product" or "ReLU".
    """

    problem: str
    unit: str
    readings: list[Reading]
    notes: list[str]


def measure_ladder(kernels: Any, rounds: int = 5) -> list[Ladder]:
    """Measure both ladders, the product's and ReLU's.

    kernels: a dict such as `globals()`, a module or a namespace. What is not written, wrong or
    breaks is left out, and the notes say so.
    """
    product, product_notes = measure_rungs(matmul_rungs(kernels), rounds)
    relu, relu_notes = measure_rungs(relu_rungs(kernels), rounds)
    return [
        Ladder("product", "GFLOP/s (int8: 10⁹ operations/s)", product, product_notes),
        Ladder("ReLU", "10⁹ elements/s", relu, relu_notes),
    ]


def size_of(ladder: Ladder, reading: Reading) -> str:
    """The size at which a rung was measured, in words."""
    if ladder.problem == "product":
        return f"{reading.size:,} by {reading.size:,}"
    return f"{reading.size:,} elements"


def conclusion(ladder: Ladder) -> str:
    """How far up the fastest rung is, the largest single step, and which rungs lead down."""
    if not ladder.readings:
        return f"{ladder.problem}: nothing could be measured."
    first, best = ladder.readings[0], max(ladder.readings, key=lambda r: r.speed)
    text = (
        f"{ladder.problem}: {best.name} is {times_text(best.speed / first.speed)} times as fast as "
        f"{first.name}."
    )
    steps = list(zip(ladder.readings, ladder.readings[1:], strict=False))
    if steps:
        low, high = max(steps, key=lambda pair: pair[1].speed / pair[0].speed)
        text += (
            f" The largest step, {times_text(high.speed / low.speed)} times, is from {low.name} to "
            f"{high.name}."
        )
    down = [high.name for low, high in steps if high.speed < 0.9 * low.speed]
    if down:
        text += f" Slower than the rung before it: {', '.join(down)}."
    sizes = {r.size for r in ladder.readings}
    if len(sizes) > 1:
        largest = max(sizes)
        smaller = [f"{r.name} at {size_of(ladder, r)}" for r in ladder.readings if r.size < largest]
        text += f" Measured smaller: {', '.join(smaller)}."
    return text
