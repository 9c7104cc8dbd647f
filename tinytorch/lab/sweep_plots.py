"""Pictures of what was swept: the block size of a product, and the number of threads."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from tinytorch.lab import block_sweep, scaling
from tinytorch.lab.style import (
    GUESS,
    INK,
    OUTLINE,
    SHADE,
    STYLE,
    as_number,
    finish,
    labels_beside,
    log_ticks,
    within,
    you_guessed,
)
from tinytorch.lab.wording import amount_text

_GREY = "#7a7a7a"


def draw_blocks(
    sweep: block_sweep.BlockSweep, *, guess: Any = None, png: Path | None = None
) -> None:  # fmt: skip
    """GFLOP/s by block size, with the sizes that L1 and L2 predict as vertical lines.

    guess: the block size that was thought to be the fastest. png: writes the picture there in
    place of showing it.
    """
    curves = {"cache_friendly_matmul": sweep.seconds, "compiled loops in tiles": sweep.loops}
    curves = {name: seconds for name, seconds in curves.items() if seconds}
    guessed, caption = as_number(guess), block_sweep.conclusion(sweep)
    if not curves:
        print(caption)
        return
    blocks = sorted({b for seconds in curves.values() for b in seconds})
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(9, 4.4))
        axes.set(xscale="log", yscale="log", xlim=(blocks[0] / 1.2, blocks[-1] * 4))
        ends = []
        for seconds, dashes in zip(curves.values(), ("-", "--"), strict=False):
            colour = INK if dashes == "-" else _GREY
            rates = {b: [2e-9 * sweep.n**3 / t for t in times] for b, times in seconds.items()}
            _curve(axes, rates, colour, dashes)
            ends.append((max(seconds), statistics.median(rates[max(seconds)])))
        axes.set(
            xlabel="block_size, logarithmic",
            ylabel="GFLOP/s, logarithmic (median and middle half)",
            title=f"Tiles in the product of two {sweep.n} by {sweep.n} matrices",
        )
        axes.margins(y=0.15)
        axes.autoscale(axis="y")
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * (high / low) ** 0.16)  # room for the names of the lines
        for level, most in sweep.predicted.items():
            _upright(axes, most, f"{level} holds three\ntiles up to {most}", "black", ":")
        if guessed is not None:
            place = within(guessed, blocks[0], blocks[-1] / 10)
            _upright(axes, place, "your guess", GUESS, "--", top=0.0)
        log_ticks(axes.yaxis, amount_text)
        axes.set_xticks(blocks)
        axes.xaxis.set_major_formatter(FuncFormatter(amount_text))
        axes.xaxis.set_minor_locator(NullLocator())
        labels_beside(axes, ends, list(curves), blocks[-1] * 1.15)
        finish(figure, caption + you_guessed(guessed), threads="one thread", width=130, png=png)


def draw_scaling(
    found: scaling.Scaling, *, guess: Any = None, png: Path | None = None
) -> None:  # fmt: skip
    """Times faster than one thread for a product and ReLU, and beside it what a pool costs.

    guess: how many times faster the product was thought to be with all cores. png: writes the
    picture there in place of showing it.
    """
    guessed, caption = as_number(guess), scaling.conclusion(found)
    if not (found.product or found.relu or found.pool):
        print(caption)
        return
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.2), width_ratios=(1.9, 1))
        _speedups(left, found, guessed)
        if found.pool:
            counts = sorted(found.pool)
            times = {w: [t * 1e6 for t in found.pool[w]] for w in counts}
            _curve(right, times, INK, "-")
            right.set_ylim(0, max(map(statistics.median, times.values())) * 1.5)
            _whole_numbers(right, counts)
        right.set(
            xlabel="threads", ylabel="µs from start to end", title="A pool with nothing to do"
        )
        if guessed is not None:
            caption += f"\nYou guessed {guessed:g} times for the product."
        finish(
            figure,
            caption,
            threads=f"1 to {max(scaling.thread_counts(found.cores))} threads",
            width=140,
            png=png,
        )


def _speedups(axes: Axes, found: scaling.Scaling, guess: float | None) -> None:
    curves = {"product": found.product, "ReLU": found.relu}
    curves = {name: seconds for name, seconds in curves.items() if seconds}
    counts = scaling.thread_counts(found.cores)
    most = counts[-1]
    if found.cores > 1:
        cores = np.linspace(1, found.cores, 50)
        axes.plot(cores, cores, color=SHADE, lw=1.5, ls=":")
    names = ["if only cores counted"] * (found.cores > 1)
    ends = [(float(most), float(most))] * (found.cores > 1)
    for name, seconds in curves.items():
        colour, dashes = (INK, "-") if name == "product" else (_GREY, "--")
        alone = statistics.median(seconds[1])
        gains = {w: [alone / t for t in times] for w, times in seconds.items()}
        _curve(axes, gains, colour, dashes)
        ends.append((most, statistics.median(gains[most])))
        names.append(name)
    fit = scaling.fit_amdahl(found.product, found.cores, found.pool) if found.product else None
    if fit is not None and most > 2 and found.busy is None:  # through two points, any curve fits
        axes.plot(cores, [fit.speedup(w) for w in cores], color=INK, lw=1)
        ends.append((most, fit.speedup(most)))
        names.append(f"Amdahl, {fit.serial:.0%} serial")
    tops = [y for _, y in ends] + ([within(guess, 1, most) / 1.05] if guess else [])
    axes.set(xlim=(0.9, 1 + (most - 1) * 1.75), ylim=(0, max([1.3, *tops]) * 1.15))
    if guess is not None:
        place = min(guess, axes.get_ylim()[1] * 0.97)
        axes.plot([most], [place], marker="D", ms=8, color=GUESS, ls="none", zorder=4)
        ends.append((most, place))
        names.append("your guess")
    _whole_numbers(axes, counts)
    axes.set(xlabel="threads", ylabel="times faster than one thread",
             title="What more threads bring (median and middle half)")  # fmt: skip
    labels_beside(axes, ends, names, most + 0.06 * (most - 1))


def _curve(axes: Axes, values: Mapping[int, Sequence[float]], colour: str, dashes: str) -> None:
    """Medians joined, each with its middle half as a stroke."""
    places = sorted(values)
    medians = [statistics.median(values[p]) for p in places]
    axes.plot(places, medians, color=colour, marker="o", ms=5, ls=dashes)
    for place in places:
        if len(values[place]) > 1:
            low, _, high = statistics.quantiles(values[place], n=4)
            axes.plot([place] * 2, [low, high], color=colour, lw=4, alpha=0.35)


def _upright(
    axes: Axes, x: float, text: str, colour: str, dashes: str, top: float = 1.0
) -> None:  # fmt: skip
    """A vertical line, named at its upper end, or at its lower one with top = 0."""
    axes.axvline(x, color=colour, lw=2 if dashes == "--" else 1.2, ls=dashes, zorder=1)
    axes.annotate(text, (x, top), xycoords=("data", "axes fraction"), xytext=(4, 4 - 8 * top),
                  textcoords="offset points", color=colour, fontsize=8.5,
                  va="top" if top else "bottom", path_effects=OUTLINE)  # fmt: skip


def _whole_numbers(axes: Axes, counts: Sequence[int]) -> None:
    shown = [c for c in counts if len(counts) <= 8 or c in (1, 2, 4, 8) or c % 16 == 0]
    axes.set_xticks(shown)
