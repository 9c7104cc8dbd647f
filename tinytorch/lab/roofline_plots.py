"""The roofline as a picture: two roofs, the reader's kernels below them, and what limits each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from tinytorch.lab.figures import finish, labels_beside
from tinytorch.lab.plots import _GUESS, _INK, _STYLE, _log_ticks, _number, _within, you_guessed
from tinytorch.lab.roofline import Point, Roofline, Roofs, conclusion

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
    guessed = _number(guess)
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(figsize=(10.5, 5.6))
        xs, ys = [p.work.intensity for p in points], [p.speed for p in points]
        right = max(xs) * 90  # room for the labels of the rightmost points
        tops = [r for roof in roofline.roofs for r in (roof.arithmetic, roof.integer) if r]
        axes.set(xscale="log", yscale="log")
        axes.set(xlim=(min(xs) / 2, right), ylim=(min(ys) / 2.5, max([*tops, *ys]) * 2.2))
        for index, roof in enumerate(reversed(roofline.roofs)):
            _roof(axes, roof, max(xs) * 1.3, faint=index < len(roofline.roofs) - 1)
        _points(axes, points)
        for members, x in _columns(points):
            labels_beside(
                axes,
                [(p.work.intensity, p.speed) for p in members],
                [_label(p) for p in members],
                x,
            )
        if guessed is not None:
            place = _within(guessed, min(xs), max(xs))
            axes.axvline(place, color=_GUESS, lw=2, ls="--")
            axes.annotate("your guess", (place, axes.get_ylim()[0]), xytext=(4, 5),
                          textcoords="offset points", color=_GUESS)  # fmt: skip
        _log_ticks(axes.xaxis, _plain)
        _log_ticks(axes.yaxis, _plain)
        axes.set(
            xlabel="operations per byte (every operand read once, the result written once)",
            ylabel="10⁹ operations per second",
            title="The roofline: what limits each kernel on this machine",
        )
        notes = "\n".join([conclusion(roofline) + you_guessed(guessed), *roofline.notes])
        finish(figure, notes, _threads(roofline.roofs), png, width=150)


def _roof(axes: Axes, roof: Roofs, right: float, faint: bool) -> None:
    """Both roofs of one number of threads, and the one of integers dotted."""
    colour, width = (_FAINT, 1.2) if faint else (_INK, 2.2)
    left = axes.get_xlim()[0]
    threads = "1 thread" if roof.threads == 1 else f"{roof.threads} threads"
    corner = roof.ridge or right
    slope = [left, corner]
    axes.plot(slope, [x * roof.memory for x in slope], color=colour, lw=width, zorder=1)
    if not faint:
        place = left * 1.4
        axes.annotate(f"memory roof, {roof.memory:.0f} GB/s", (place, place * roof.memory),
                      xytext=(-4, 6), textcoords="offset points", color=colour, fontsize=9,
                      rotation=_angle(axes), rotation_mode="anchor")  # fmt: skip
    for name, peak, dashes in (("float32", roof.arithmetic, "-"), ("int8", roof.integer, ":")):
        if peak is None:
            continue
        start = peak / roof.memory
        axes.plot([start, right], [peak] * 2, color=colour, lw=width, ls=dashes, zorder=1)
        if not faint or name == "float32":
            axes.annotate(
                f"{name}, {threads}: {peak:.0f}", (start, peak), xytext=(0, 3),
                textcoords="offset points", color=colour, fontsize=9,
            )  # fmt: skip


def _angle(axes: Axes) -> float:
    """Degrees at which a line of slope 1 rises on these logarithmic axes."""
    box = axes.get_window_extent()
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    rise = box.height / np.log10(y1 / y0)
    return float(np.degrees(np.arctan2(rise, box.width / np.log10(x1 / x0))))


def _points(axes: Axes, points: Sequence[Point]) -> None:
    """One thread filled, more threads hollow; integers as squares."""
    for p in points:
        axes.plot(
            p.work.intensity,
            p.speed,
            marker="s" if p.work.kind == "int8" else "o",
            ms=7,
            color=_INK,
            mfc=_INK if p.threads == 1 else "white",
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


def _label(point: Point) -> str:
    share = f"{point.share:.0%}" if point.share >= 0.01 else f"{point.share:.2%}"
    return f"{point.name}: {_SHORT.get(point.limit, point.limit)} ({share})"


def _plain(value: float, _: Any = None) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _threads(roofs: Sequence[Roofs]) -> str:
    if len(roofs) == 1:
        return "one thread; squares: int8 operations; percent: of what its roof allows"
    return (
        f"filled: 1 thread, hollow: up to {roofs[-1].threads}; squares: int8 operations; "
        "percent: of what its roof allows"
    )
