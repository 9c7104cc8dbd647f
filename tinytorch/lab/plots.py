"""Every picture of the lesson, in one house style: units, a caption that carries the conclusion,
and the reader's guess beside the measurement. Readable in grey. Nothing is measured here.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tinytorch.lab.measure import spread
from tinytorch.lab.style import (
    GUESS,
    INK,
    MARKERS,
    OUTLINE,
    SHADE,
    STYLE,
    as_number,
    finish,
    label_ends,
    log_ticks,
    within,
)
from tinytorch.lab.wording import amount_text, bytes_text, seconds_text, times_text


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
    ratio, guessed = medians[0] / medians[row], as_number(guess)
    if caption is None:
        caption = f"{names[row]}: {times_text(ratio)} times as fast as {names[0]}"
        caption += "." if guessed is None else f"; you guessed {guessed:g}."
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7.5, 0.9 + 0.5 * len(names)))
        axes.barh(names, medians, color=[SHADE] + [INK] * (len(names) - 1), height=0.6)
        for place, name in enumerate(names):
            _spread(axes, place, times[name])
        axes.margins(x=0.18)
        axes.xaxis.set_major_formatter(FuncFormatter(seconds_text))
        wide = max(medians) > 20 * min(medians)
        if guessed is not None and len(names) > 1:
            at = within(medians[0] / guessed, min(medians), max(medians))
            (mark,) = axes.plot([at] * 2, [row - 0.4, row + 0.4], color=GUESS, lw=2.5, ls="--")
            mark.set_path_effects(OUTLINE)
            axes.annotate("your guess", (at, row - 0.42), color=GUESS, ha="center")
        if wide:
            axes.set_xscale("log")
            log_ticks(axes.xaxis, seconds_text)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        scale = ", logarithmic" if wide else ""
        label = f"time per call{scale} (median; the line spans the middle half)"
        axes.set(xlabel=label, title=title)
        finish(figure, caption)


def _spread(axes: Axes, row: int, seconds: Sequence[float]) -> None:
    _, lower, median, upper = spread(seconds)
    (line,) = axes.plot([lower, upper], [row, row], color="black", lw=1.5, marker="|")
    line.set_path_effects(OUTLINE)
    axes.annotate(
        seconds_text(median), (upper, row), xytext=(6, 0), textcoords="offset points", va="center"
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
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7.5, 3.6))
        ends = []
        for index, (name, (x, y)) in enumerate(series.items()):
            colour = INK if index == 0 else "#7a7a7a"
            marker, dashes = MARKERS[index % len(MARKERS)], "-" if index == 0 else "--"
            axes.plot(x, y, color=colour, marker=marker, ms=4, ls=dashes)
            ends.append((x[-1], y[-1], name, "black"))
        axes.set(xscale="log" if log_x else "linear", yscale="log", xlabel=xlabel, ylabel=ylabel)
        axes.margins(y=0.12)
        where, height = as_number(guess), as_number(guess_y)
        xs, ys = ([v for pair in series.values() for v in pair[i]] for i in (0, 1))
        if where is not None:
            caption += f" You guessed {bytes_text(where) if x_in_bytes else amount_text(where)}."
            where = within(where, min(xs), max(xs))
            axes.axvline(where, color=GUESS, lw=2, ls="--")
            axes.annotate("your guess", (where, axes.get_ylim()[1]), color=GUESS, ha="center")
        if height is not None:
            caption += f" You guessed {amount_text(height)}."
            height = within(height, min(ys), max(ys))
            axes.axhline(height, color=GUESS, lw=2, ls="--")
            axes.annotate("your guess", (axes.get_xlim()[0], height), color=GUESS, va="bottom")
        log_ticks(axes.yaxis, amount_text)
        places = next(iter(series.values()))[0]
        if log_x:
            log_ticks(axes.xaxis, amount_text)
        if x_in_bytes or len(places) <= 8:
            axes.set_xticks(places[::3] if x_in_bytes else places)
            axes.xaxis.set_major_formatter(FuncFormatter(bytes_text if x_in_bytes else amount_text))
        label_ends(axes, ends)
        finish(figure, caption)


def histogram(seconds: Sequence[float], title: str, *, guess: Any = None) -> None:
    """How often each duration occurred: all runs above; below, larger, the fastest nine tenths.

    seconds: one entry per run. Minimum, median and middle half are marked below. guess: how many
    times longer than the fastest the slowest took, marked above.
    """
    (fastest, lower, median, upper), slowest = spread(seconds), max(seconds)
    guessed = as_number(guess)
    caption = f"The slowest run took {times_text(slowest / fastest)} times as long as the fastest"
    caption += "." if guessed is None else f"; you guessed {guessed:g}."
    caption += f"\nHalf of the runs took between {seconds_text(lower)} and {seconds_text(upper)}."
    most = max(sorted(seconds)[: math.ceil(0.9 * len(seconds))])
    most = max(most, upper, 1.01 * fastest)
    with plt.rc_context(STYLE):
        figure, (above, below) = plt.subplots(2, 1, figsize=(7.5, 4.8))
        above.hist(seconds, bins=np.geomspace(fastest, max(slowest, most), 41), color=SHADE)
        above.set(xscale="log", yscale="log", ylabel="runs", title=title)
        above.set(ylim=(0.6, 2 * len(seconds)), xlabel="time of one run, all runs (logarithmic)")
        if guessed is not None:
            place = within(fastest * guessed, fastest, slowest)
            _mark(above, place, "your guess", 0.85, GUESS, "--")
        below.axvspan(lower, upper, color="#dcdcdc", zorder=0)
        edges = np.linspace(fastest, most, 31)
        runs, *_ = below.hist(seconds, bins=edges, color=SHADE, ec="white", lw=0.5)
        below.set_ylim(0, 1.8 * runs.max())  # room for the names
        _mark(below, fastest, f"minimum {seconds_text(fastest)}", 0.93, INK)
        _mark(below, median, f"median {seconds_text(median)}", 0.78, INK)
        _mark(below, upper, "middle half in grey", 0.63, "#5a5a5a", ":")
        below.set(ylabel="runs", xlabel="time of one run, the fastest nine tenths")
        log_ticks(above.xaxis, seconds_text)
        above.yaxis.set_major_formatter(FuncFormatter(amount_text))
        below.xaxis.set_major_formatter(FuncFormatter(seconds_text))
        below.xaxis.set_major_locator(MaxNLocator(6))
        finish(figure, caption)


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
        path_effects=OUTLINE,
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
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(9, 4))
        grid = figure.add_gridspec(2, 30, height_ratios=(1, 2.2))
        for index, (image, digit) in enumerate(zip(images, predictions, strict=True)):
            small = figure.add_subplot(grid[0, 3 * index : 3 * index + 3])
            small.imshow(1 - image.reshape(8, 8), cmap="gray", vmin=0, vmax=1)
            small.set_title(str(digit), fontsize=10)
            small.axis("off")
        for index, (label, values, form) in enumerate(panels):
            axes = figure.add_subplot(grid[1, 10 * index : 10 * index + 10])
            axes.barh(names, values, color=[SHADE] * (len(rows) - 1) + [INK], height=0.6)
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
            axes.xaxis.set_major_formatter(FuncFormatter(amount_text))
            axes.grid(axis="y", visible=False)
            axes.set_xlabel(label)
            axes.tick_params(axis="y", labelleft=index == 0)
        caption = f"Ten held-out digits and what the int8 network reads in them. {caption}"
        finish(figure, caption, png=png)
