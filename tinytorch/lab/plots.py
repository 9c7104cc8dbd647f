"""Every picture of the lesson, in one house style: units, a caption that carries the conclusion,
and the reader's guess beside the measurement. Readable in grey. Nothing is measured here.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import offset_copy

from tinytorch.lab.measure import machine_line, spread

_INK, _SHADE, _GUESS = "#1f3b57", "#9db4c8", "#c2571a"
_MARKERS = "osD^v"
_OUTLINE: list[AbstractPathEffect] = [
    withStroke(linewidth=4, foreground="white")
]  # seen on dark bars too, and in grey
_STYLE: dict[Any, Any] = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "axes.axisbelow": True,
}


def _number(guess: Any, least: float = 0.0) -> float | None:
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
    number = _number(guess, least=-1e-9)
    return "" if number is None else f" You guessed {number:g}."


def _within(guess: float, low: float, high: float) -> float:
    """A guess far outside the data, brought to where it does not flatten the picture."""
    return min(max(guess, low / 30), high * 30)


def _seconds(value: float, _: Any = None) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def _amount(value: float, _: Any = None) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def _bytes(value: float, _: Any = None) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g} B"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.2g}"


def _caption(figure: Figure, caption: str, about: str | None = None) -> None:
    """The conclusion, and below it what it is about: by default this machine."""
    below = offset_copy(figure.transFigure, figure, x=6, y=-4, units="points")
    text = f"{caption}\n{about or f'({machine_line()})'}"
    figure.text(0, 0, text, transform=below, va="top", fontsize=9)


def _log_ticks(axis: Axis, formatter: Callable[[float, Any], str]) -> None:
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
            path_effects=_OUTLINE,
        )


def _finish(
    figure: Figure, caption: str, *, about: str | None = None, png: Path | None = None
) -> None:
    """Caption the figure and show it, or write it to `png`; it is closed whatever happens."""
    _caption(figure, caption, about)
    try:
        if png is not None:
            figure.savefig(png, bbox_inches="tight")
            return
        plt.show()
        if plt.get_backend().lower() == "agg":  # without a display the sentence is what remains
            print(caption)
    finally:
        plt.close(figure)


def bars(
    times: Mapping[str, Sequence[float]],
    title: str,
    *,
    guess: Any = None,
    about: str | None = None,
    caption: str | None = None,
) -> None:
    """Median time of each contestant as a bar, with its middle half of readings as a line.

    times: name -> seconds per call, as `race` returns them. The first entry is the yardstick.
    guess: how many times faster than the first another one was thought to be.
    about: the name of that other one; by default the second.
    caption: the conclusion; by default how that one compares with the first.
    """
    names = list(times)
    row = names.index(about) if about is not None else min(1, len(names) - 1)
    medians = [statistics.median(times[name]) for name in names]
    ratio, guessed = medians[0] / medians[row], _number(guess)
    if caption is None:
        caption = f"{names[row]}: {_times(ratio)} times as fast as {names[0]}"
        caption += "." if guessed is None else f"; you guessed {guessed:g}."
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(figsize=(7.5, 0.9 + 0.5 * len(names)))
        axes.barh(names, medians, color=[_SHADE] + [_INK] * (len(names) - 1), height=0.6)
        for place, name in enumerate(names):
            _spread(axes, place, times[name])
        axes.margins(x=0.18)
        axes.xaxis.set_major_formatter(FuncFormatter(_seconds))
        wide = max(medians) > 20 * min(medians)
        if guessed is not None and len(names) > 1:
            at = _within(medians[0] / guessed, min(medians), max(medians))
            (mark,) = axes.plot([at] * 2, [row - 0.4, row + 0.4], color=_GUESS, lw=2.5, ls="--")
            mark.set_path_effects(_OUTLINE)
            axes.annotate("your guess", (at, row - 0.42), color=_GUESS, ha="center")
        if wide:
            axes.set_xscale("log")
            _log_ticks(axes.xaxis, _seconds)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        scale = ", logarithmic" if wide else ""
        label = f"time per call{scale} (median; the line spans the middle half)"
        axes.set(xlabel=label, title=title)
        _finish(figure, caption)


def _spread(axes: Axes, row: int, seconds: Sequence[float]) -> None:
    _, lower, median, upper = spread(seconds)
    (line,) = axes.plot([lower, upper], [row, row], color="black", lw=1.5, marker="|")
    line.set_path_effects(_OUTLINE)
    axes.annotate(
        _seconds(median), (upper, row), xytext=(6, 0), textcoords="offset points", va="center"
    )


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    xlabel: str,
    ylabel: str,
    caption: str,
    guess: Any = None,
    guess_y: Any = None,
    x_in_bytes: bool = False,
    log_x: bool = True,
) -> None:
    """Measured curves on logarithmic axes, each labelled at its end.

    series: name -> (x, y), positive numbers. guess marks a place on the x axis, guess_y one on
    the y axis. caption: the conclusion, computed from the data. x_in_bytes: x in KiB and MiB.
    log_x: without it, x is linear.
    """
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(figsize=(7.5, 3.6))
        ends = []
        for index, (name, (x, y)) in enumerate(series.items()):
            colour = _INK if index == 0 else "#7a7a7a"
            marker, dashes = _MARKERS[index % len(_MARKERS)], "-" if index == 0 else "--"
            axes.plot(x, y, color=colour, marker=marker, ms=4, ls=dashes)
            ends.append((x[-1], y[-1], name, "black"))
        axes.set(xscale="log" if log_x else "linear", yscale="log", xlabel=xlabel, ylabel=ylabel)
        axes.margins(y=0.12)
        where, height = _number(guess), _number(guess_y)
        xs, ys = ([v for pair in series.values() for v in pair[i]] for i in (0, 1))
        if where is not None:
            caption += f" You guessed {_bytes(where) if x_in_bytes else _amount(where)}."
            where = _within(where, min(xs), max(xs))
            axes.axvline(where, color=_GUESS, lw=2, ls="--")
            axes.annotate("your guess", (where, axes.get_ylim()[1]), color=_GUESS, ha="center")
        if height is not None:
            caption += f" You guessed {_amount(height)}."
            height = _within(height, min(ys), max(ys))
            axes.axhline(height, color=_GUESS, lw=2, ls="--")
            axes.annotate("your guess", (axes.get_xlim()[0], height), color=_GUESS, va="bottom")
        _log_ticks(axes.yaxis, _amount)
        places = next(iter(series.values()))[0]
        if log_x:
            _log_ticks(axes.xaxis, _amount)
        if x_in_bytes or len(places) <= 8:
            axes.set_xticks(places[::3] if x_in_bytes else places)
            axes.xaxis.set_major_formatter(FuncFormatter(_bytes if x_in_bytes else _amount))
        label_ends(axes, ends)
        _finish(figure, caption)


def histogram(seconds: Sequence[float], title: str, *, guess: Any = None) -> None:
    """How often each duration occurred: all runs above; below, larger, the fastest nine tenths.

    seconds: one entry per run. Minimum, median and middle half are marked below. guess: how many
    times longer than the fastest the slowest took, marked above.
    """
    (fastest, lower, median, upper), slowest = spread(seconds), max(seconds)
    guessed = _number(guess)
    caption = f"The slowest run took {_times(slowest / fastest)} times as long as the fastest"
    caption += "." if guessed is None else f"; you guessed {guessed:g}."
    caption += f"\nHalf of the runs took between {_seconds(lower)} and {_seconds(upper)}."
    most = max(sorted(seconds)[: math.ceil(0.9 * len(seconds))])
    most = max(most, upper, 1.01 * fastest)
    with plt.rc_context(_STYLE):
        figure, (above, below) = plt.subplots(2, 1, figsize=(7.5, 4.8))
        above.hist(seconds, bins=np.geomspace(fastest, max(slowest, most), 41), color=_SHADE)
        above.set(xscale="log", yscale="log", ylabel="runs", title=title)
        above.set(ylim=(0.6, 2 * len(seconds)), xlabel="time of one run, all runs (logarithmic)")
        if guessed is not None:
            place = _within(fastest * guessed, fastest, slowest)
            _mark(above, place, "your guess", 0.85, _GUESS, "--")
        below.axvspan(lower, upper, color="#dcdcdc", zorder=0)
        edges = np.linspace(fastest, most, 31)
        runs, *_ = below.hist(seconds, bins=edges, color=_SHADE, ec="white", lw=0.5)
        below.set_ylim(0, 1.8 * runs.max())  # room for the names
        _mark(below, fastest, f"minimum {_seconds(fastest)}", 0.93, _INK)
        _mark(below, median, f"median {_seconds(median)}", 0.78, _INK)
        _mark(below, upper, "middle half in grey", 0.63, "#5a5a5a", ":")
        below.set(ylabel="runs", xlabel="time of one run, the fastest nine tenths")
        _log_ticks(above.xaxis, _seconds)
        above.yaxis.set_major_formatter(FuncFormatter(_amount))
        below.xaxis.set_major_formatter(FuncFormatter(_seconds))
        below.xaxis.set_major_locator(MaxNLocator(6))
        _finish(figure, caption)


def _mark(
    axes: Axes, value: float, text: str, height: float, colour: str, dashes: str = "-"
) -> None:
    """A vertical line with its name beside it, on the side that has room."""
    right_half = axes.transAxes.inverted().transform(axes.transData.transform((value, 1)))[0] > 0.6
    axes.axvline(value, color=colour, lw=1.5, ls=dashes)
    axes.annotate(
        text,
        (value, height),
        xycoords=("data", "axes fraction"),
        xytext=(-5 if right_half else 5, 0),
        textcoords="offset points",
        ha="right" if right_half else "left",
        va="center",
        color=colour,
        path_effects=_OUTLINE,
    )


def digits_panels(
    rows: Sequence[Any],
    images: np.ndarray,
    predictions: np.ndarray,
    *,
    caption: str,
    png: Path | None = None,
) -> None:
    """Accuracy, bytes and time per image of each way to run the digits, under ten of them.

    rows: `DigitsRow`s. images: (10, 64) in 0..1. predictions: (10,) of the last row. png: writes
    the picture there in place of showing it.
    """
    names = [row.name for row in rows]
    panels = (
        ("accuracy, %", [100 * row.accuracy for row in rows], "{:.1f}"),
        ("model, bytes", [row.nbytes for row in rows], "{:,.0f}"),
        (
            "time per image, µs (median)",
            [1e6 * statistics.median(row.seconds) for row in rows],
            "{:.2f}",
        ),
    )
    with plt.rc_context(_STYLE):
        figure = plt.figure(figsize=(9, 4))
        grid = figure.add_gridspec(2, 30, height_ratios=(1, 2.2))
        for index, (image, digit) in enumerate(zip(images, predictions, strict=True)):
            small = figure.add_subplot(grid[0, 3 * index : 3 * index + 3])
            small.imshow(1 - image.reshape(8, 8), cmap="gray", vmin=0, vmax=1)
            small.set_title(str(digit), fontsize=10)
            small.axis("off")
        for index, (label, values, form) in enumerate(panels):
            axes = figure.add_subplot(grid[1, 10 * index : 10 * index + 10])
            axes.barh(names, values, color=[_SHADE] * (len(rows) - 1) + [_INK], height=0.6)
            for row, value in enumerate(values):
                axes.annotate(
                    form.format(value),
                    (value, row),
                    xytext=(4, 0),
                    textcoords="offset points",
                    va="center",
                )
            axes.invert_yaxis()
            axes.margins(x=0.3)
            axes.xaxis.set_major_locator(MaxNLocator(3))
            axes.xaxis.set_major_formatter(FuncFormatter(_amount))
            axes.grid(axis="y", visible=False)
            axes.set_xlabel(label)
            axes.tick_params(axis="y", labelleft=index == 0)
        caption = f"Ten held-out digits and what the int8 network reads in them. {caption}"
        if png is None:
            _finish(figure, caption)
            return
        _caption(figure, caption)
        figure.savefig(png, bbox_inches="tight")
        plt.close(figure)
