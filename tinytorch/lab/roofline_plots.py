"""The roofline as a picture: two roofs, the reader's kernels below them, and what limits each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from tinytorch.lab.roofline import Point, Roofline, Roofs, conclusion
from tinytorch.lab.style import (
    GUESS,
    INK,
    STYLE,
    as_number,
    finish,
    labels_beside,
    log_ticks,
    within,
    you_guessed,
)

_FAINT = "#8a8a8a"
_SHORT = {
    "neither: the interpreter": "interpreter",
    "neither: new pages": "new pages",
    "neither: calls and other instructions": "calls, other instructions",
}


def draw_roofline(roofline: Roofline, *, guess: Any = None, png: Path | None = None) -> None:
    """Speed against operations per byte, on logarithmic axes, each point with what limits it.

    guess: operations per byte at which the roofs of one thread were thought to meet. png: writes
    the picture there in place of showing it. Left-out kernels are named below the picture.
    """
    points = roofline.points
    if not points:
        print("No kernel could be measured.", *roofline.notes, sep="\n")
        return
    guessed = as_number(guess)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(10.5, 6))
        xs, ys = [p.work.intensity for p in points], [p.speed for p in points]
        flat = 1.3 * max(
            *xs, *(2 * _corner(roof) for roof in roofline.roofs)
        )  # the roofs' right end
        right = flat * 70  # room for the labels of the rightmost points
        tops = [r for roof in roofline.roofs for r in (roof.arithmetic, roof.integer) if r]
        axes.set(xscale="log", yscale="log")
        axes.set(xlim=(min(xs) / 4, right), ylim=(min(ys) / 4, max([*tops, *ys]) * 3.2))
        log_ticks(axes.xaxis, _plain)
        log_ticks(axes.yaxis, _plain)
        axes.set(
            xlabel="operations per byte (every operand read once, the result written once)",
            ylabel="10⁹ operations per second (best of the readings)",
            title="The roofline: what limits each kernel on this machine",
        )
        _roofs(axes, roofline.roofs, flat)
        _points(axes, points)
        for members, x in _columns(points):
            places = [(p.work.intensity, p.speed) for p in members]
            if len(members) > 1:
                labels_beside(axes, places, [_label(p, ": ") for p in members], x)
            else:  # below, so that it does not reach what is to its right
                axes.annotate(_label(members[0], ":\n"), places[0], xytext=(0, -7), fontsize=8.5,
                              textcoords="offset points", ha="center", va="top")  # fmt: skip
        if guessed is not None:
            _guess_mark(axes, within(guessed, min(xs), max(xs)), roofline.roofs[0])
        notes = "\n".join([conclusion(roofline) + you_guessed(guessed), *roofline.notes])
        finish(figure, notes, threads=_threads(roofline.roofs), width=150, png=png)


def _corner(roof: Roofs) -> float:
    """Where the memory roof ends: at the highest of the others."""
    return max(roof.arithmetic, roof.integer or 0.0) / roof.memory


def _roofs(axes: Axes, roofs: Sequence[Roofs], right: float) -> None:
    """One thread dark, all threads faint; the roof of int8 dotted; named where they begin."""
    left, corners, names = axes.get_xlim()[0], [], []
    for roof in roofs:
        first = roof is roofs[0]
        colour, width = (INK, 2.2) if first else (_FAINT, 1.4)
        threads = "1 thread" if roof.threads == 1 else f"{roof.threads} threads"
        slope = [left, _corner(roof)]
        axes.plot(slope, [x * roof.memory for x in slope], color=colour, lw=width, zorder=1)
        for name, peak, dashes in (("float32", roof.arithmetic, "-"), ("int8", roof.integer, ":")):
            if peak:
                start = peak / roof.memory
                axes.plot([start, right], [peak] * 2, color=colour, lw=width, ls=dashes, zorder=1)
                corners.append((start, peak))
                names.append(f"{name}, {threads}: {peak:.0f}")
    # To the left of the roofs, where there is nothing else.
    labels_beside(axes, corners, names, left * 3, colour=INK)
    text = "memory roof: " + ", ".join(
        f"{roof.memory:.0f} GB/s ({roof.threads} thread{'s' * (roof.threads > 1)})"
        for roof in roofs
    )
    axes.annotate(text, (left * 1.15, left * 1.15 * roofs[0].memory), xytext=(12, 0),
                  textcoords="offset points", color=INK, fontsize=8.5, va="top")  # fmt: skip


def _guess_mark(axes: Axes, place: float, roof: Roofs) -> None:
    """A stroke through the roof at the place where it was thought to bend, named at the top."""
    low, high = min(place * roof.memory, roof.arithmetic) / 1.8, axes.get_ylim()[1] / 1.5
    axes.plot([place] * 2, [low, high], color=GUESS, lw=2.5, ls="--", zorder=4)
    axes.annotate("your guess", (place, high), xytext=(0, 2), ha="center", va="bottom",
                  textcoords="offset points", color=GUESS)  # fmt: skip


def _points(axes: Axes, points: Sequence[Point]) -> None:
    """One thread filled, more threads hollow; integers as squares."""
    for p in points:
        axes.plot(
            p.work.intensity,
            p.speed,
            marker="s" if p.work.kind == "int8" else "o",
            ms=7,
            color=INK,
            mfc=INK if p.threads == 1 else "white",
            zorder=3,
        )


def _columns(points: Sequence[Point]) -> list[tuple[list[Point], float]]:
    """Points that lie close together in x, and where their labels begin."""
    groups: list[list[Point]] = []
    for point in sorted(points, key=lambda p: p.work.intensity):
        if groups and point.work.intensity < groups[-1][0].work.intensity * 4:
            groups[-1].append(point)
        else:
            groups.append([point])
    return [(members, members[-1].work.intensity * 1.7) for members in groups]


def _label(point: Point, between: str) -> str:
    share = f"{point.share:.0%}" if point.share >= 0.01 else f"{point.share:.2%}"
    return f"{point.name}{between}{_SHORT.get(point.limit, point.limit)} ({share})"


def _plain(value: float, _: Any = None) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _threads(roofs: Sequence[Roofs]) -> str:
    if len(roofs) == 1:
        return "one thread; squares: int8 operations; percent: of what its roof allows"
    return (
        f"filled: 1 thread, hollow: up to {roofs[-1].threads}; squares: int8 operations; "
        "percent: of what its roof allows"
    )
