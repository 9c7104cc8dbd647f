"""The house style of every picture: colours, the guess, ticks, labels, the caption.

Nothing is measured and no whole picture is drawn here: see plots and the other *_plots. Numbers
become text in wording.
"""

import math
import textwrap
from collections.abc import Callable, Sequence
from numbers import Real
from pathlib import Path
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import offset_copy

from tinytorch.lab.measure import machine_line

INK, SHADE, GUESS = "#1f3b57", "#9db4c8", "#c2571a"
MARKERS = "osD^v"
OUTLINE: list[AbstractPathEffect] = [
    withStroke(linewidth=4, foreground="white")
]  # seen on dark bars too, and in grey
STYLE: dict[Any, Any] = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "axes.axisbelow": True,
}


def as_number(guess: Any, least: float = 0.0) -> float | None:
    """The guess as a number above `least`; None, after a word of advice, where it is none."""
    if guess is None:
        return None
    real = isinstance(guess, Real) and not isinstance(guess, bool)
    if real and math.isfinite(guess) and guess > least:
        return float(guess)
    print(f"my_guess is {guess!r}: write a positive number to see it beside the measurement.")
    return None


def you_guessed(guess: Any) -> str:
    """' You guessed 3.' for a caption; empty without a guess. Zero is a guess too."""
    number = as_number(guess, least=-1e-9)
    return "" if number is None else f" You guessed {number:g}."


def within(guess: float, low: float, high: float) -> float:
    """A guess far outside the data, brought to where it does not flatten the picture."""
    return min(max(guess, low / 30), high * 30)


def log_ticks(axis: Axis, formatter: Callable[[float, Any], str]) -> None:
    """Labels at 1, 2 and 5 of each decade, so that a narrow range has some too."""
    low, high = axis.get_view_interval()
    narrow = high < 50 * low
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
    axis.set_major_formatter(FuncFormatter(formatter))
    axis.set_minor_formatter(NullFormatter())


def label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]], size: float = 10) -> None:
    """Write (x, y, text, colour) right of the last points of curves, apart where they would touch.

    To be called last: the places depend on the axes' limits. size: of the letters, in points.
    """
    figure = axes.figure
    assert isinstance(figure, Figure)  # no pictures inside pictures here
    figure.draw_without_rendering()  # lays the axes out
    points, lowest = 72 / figure.dpi, float("-inf")
    for x, y, text, colour in sorted(ends, key=lambda end: end[1]):
        place = axes.transData.transform((x, y))[1] * points
        lowest = max(place, lowest + 1.2 * size)
        axes.annotate(
            text,
            (x, y),
            xytext=(7, lowest - place),
            textcoords="offset points",
            va="center",
            fontsize=size,
            color=colour,
            annotation_clip=False,
            path_effects=OUTLINE,
        )


def apart(places: Sequence[float], gap: float) -> list[float]:
    """The places, moved as little as need be until neighbours are `gap` apart. Order is kept."""
    order = np.argsort(places, kind="stable")
    wanted = np.asarray(places, float)[order] - gap * np.arange(len(places))
    # The closest rising sequence is found by pooling neighbours that fall (isotonic regression).
    pools: list[list[float]] = []
    for value in wanted:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            value, count = pools.pop()
            mean, before = pools[-1]
            pools[-1] = [(mean * before + value * count) / (before + count), before + count]
    flat = np.concatenate([[mean] * int(count) for mean, count in pools]) if pools else np.array([])
    moved = np.empty(len(places))
    moved[order] = flat + gap * np.arange(len(places))
    return moved.tolist()


def labels_beside(
    axes: Axes,
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    x: float,
    *,
    gap: float = 12.0,
    colour: str = "black",
) -> None:
    """Texts in a column at x (data), each at the height of its point or near, with a thin line.

    gap: points (1/72 inch) from one text to the next. To be called once limits and scales are set.
    """
    figure = cast(Figure, axes.figure)
    figure.canvas.draw()  # lays the figure out
    pixels = axes.transData.transform(points)
    figure.set_layout_engine("none")  # what is placed in pixels must not be moved afterwards
    heights = apart(pixels[:, 1].tolist(), gap * figure.dpi / 72)
    column = axes.transData.transform((x, 1.0))[0]
    back = axes.transData.inverted()
    for point, text, height in zip(points, texts, heights, strict=True):
        axes.annotate(
            text,
            point,
            xytext=tuple(back.transform((column, height))),
            va="center",
            ha="left",
            fontsize=8.5,
            color=colour,
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": "#8a8a8a", "shrinkA": 1,
                        "shrinkB": 3},
        )  # fmt: skip


def finish(
    figure: Figure,
    caption: str,
    *,
    about: str | None = None,
    threads: str | None = None,
    width: int | None = None,
    png: Path | None = None,
) -> None:
    """Caption the figure and show it, or write it to `png`; it is closed whatever happens.

    about: what the caption is about, by default this machine, with `threads` where they are named.
    width: letters in a line of the caption; by default its lines stay as they are.
    """
    wrapped = caption
    if width:
        wrapped = "\n".join(textwrap.fill(line, width) for line in caption.splitlines())
    machine = f"({machine_line()}; {threads})" if threads else f"({machine_line()})"
    below = offset_copy(figure.transFigure, figure, x=6, y=-4, units="points")
    text = f"{wrapped}\n{about or machine}"
    figure.text(0, 0, text, transform=below, va="top", fontsize=9)
    try:
        if png is not None:
            figure.savefig(png, bbox_inches="tight")
            return
        plt.show()
        if plt.get_backend().lower() == "agg":  # without a display the sentence is what remains
            print(caption)
    finally:
        plt.close(figure)
