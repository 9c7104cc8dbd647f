"""The ladder of speed as a picture: one bar a rung on a logarithmic axis, both problems."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from tinytorch.lab.speed_ladder import Ladder, conclusion, size_of
from tinytorch.lab.style import GUESS, INK, OUTLINE, SHADE, STYLE, as_number, finish, within
from tinytorch.lab.wording import amount_text, times_text


def draw_ladder(ladders: Sequence[Ladder], *, guess: Any = None, png: Path | None = None) -> None:
    """Rates of all rungs, each with its size and how many times the first it is.

    guess: how many times faster than the Python loops the fastest product was thought to be. png:
    writes the picture there in place of showing it.
    """
    drawn = [ladder for ladder in ladders if ladder.readings]
    guessed = as_number(guess)
    caption = "\n".join(
        [*(conclusion(ladder) for ladder in ladders), *(n for la in ladders for n in la.notes)]
    )
    if not drawn:
        print(caption)
        return
    counts = [len(ladder.readings) for ladder in drawn]
    with plt.rc_context(STYLE):
        figure, grid = plt.subplots(
            len(drawn), 1, figsize=(10, 1.2 * len(drawn) + 0.36 * sum(counts)), squeeze=False,
            height_ratios=counts,
        )  # fmt: skip
        for axes, ladder in zip(grid[:, 0], drawn, strict=True):
            _rungs(axes, ladder, guessed if ladder.problem == "product" else None)
        if guessed is not None:
            caption += f"\nYou guessed {amount_text(guessed)} times for the product."
        finish(figure, caption, threads="threads as labelled, else one", width=140, png=png)


def _rungs(axes: Axes, ladder: Ladder, guess: float | None) -> None:
    readings = ladder.readings
    speeds = [r.speed * 1e-9 for r in readings]
    names = [f"{r.name}, {size_of(ladder, r)}" for r in readings]
    left = min(speeds) / 3  # bars of a logarithmic axis begin nowhere: it is the ends that count
    axes.set(xscale="log", xlim=(left, max(speeds) * 60))
    axes.barh(names, [s - left for s in speeds], left=left, height=0.6,
              color=[SHADE] + [INK] * (len(readings) - 1))  # fmt: skip
    for row, reading in enumerate(readings):
        rates = [reading.work.operations / seconds * 1e-9 for seconds in reading.seconds]
        low, _, high = statistics.quantiles(rates, n=4) if len(rates) > 1 else rates * 3
        (line,) = axes.plot([low, high], [row, row], color="black", lw=1.5, marker="|")
        line.set_path_effects(OUTLINE)
        text = _rate(speeds[row])
        if row:
            text += f"   {times_text(speeds[row] / speeds[0])} times the first"
        axes.annotate(text, (max(high, speeds[row]), row), xytext=(7, 0),
                      textcoords="offset points", va="center", fontsize=9)  # fmt: skip
    if guess is not None:
        place = within(speeds[0] * guess, min(speeds), max(speeds) / 2)
        axes.axvline(place, color=GUESS, lw=2.5, ls="--", path_effects=OUTLINE)
        axes.annotate("your guess", (place, 0), xytext=(5, 0), textcoords="offset points",
                      color=GUESS, va="center")  # fmt: skip
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(LogLocator())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(amount_text))
    label = f"{ladder.unit}, logarithmic (median; the line spans the middle half)"
    axes.set(title=f"The ladder of speed: {ladder.problem}", xlabel=label)


def _rate(value: float) -> str:
    return f"{value:.3g}"
