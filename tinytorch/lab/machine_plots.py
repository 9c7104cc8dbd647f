"""The picture of the measured peaks. Nothing is measured here (see machine)."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from tinytorch.lab.machine import NOT_COMPILED, Report, threads_of
from tinytorch.lab.peaks import peak_of
from tinytorch.lab.style import GUESS, INK, OUTLINE, SHADE, STYLE, as_number, finish
from tinytorch.lab.wording import times_text


def draw_machine(report: Report, *, guess: Any = None, png: Path | None = None) -> None:
    """The arithmetic peaks and the memory bandwidth as bars: the best readings and their spread.

    guess: how many float32 operations were thought to take as long as one byte from memory, with
    all threads. png: writes the picture there in place of showing it.
    """
    guessed = as_number(guess)
    work = [
        (f"{dtype}, {threads_of(threads)}", readings)
        for dtype, by_threads in report.arithmetic.items()
        for threads, readings in by_threads.items()
        if readings
    ]
    bytes_ = [(threads_of(threads), readings) for threads, readings in report.memory.items()]
    panels = [(work, "arithmetic, GFLOP/s")] * bool(work) + [(bytes_, "memory, GB/s")]
    heights = [len(rows) + 0.8 for rows, _ in panels]
    with plt.rc_context(STYLE):
        figure, grid = plt.subplots(
            len(panels), figsize=(7.5, 1.2 + 0.5 * sum(heights)), squeeze=False,
            height_ratios=heights,
        )  # fmt: skip
        for axes, (rows, label) in zip(grid[:, 0], panels, strict=True):
            _bars(axes, rows, label)
        grid[0, 0].set_title("Measured peaks of this computer")
        if guessed is not None and work:
            _mark(grid[0, 0], report, guessed)
        caption = "\n".join(textwrap.fill(s, 108) for s in conclusion(report, guessed))
        finish(figure, caption, png=png)


def conclusion(report: Report, guess: float | None = None) -> list[str]:
    """What the peaks mean for a kernel, as sentences."""
    found, all_ = [], max(report.memory)
    balance = report.balance()
    if balance is None:
        found.append(NOT_COMPILED)
    else:
        found.append(
            f"With {threads_of(all_)}, one byte from memory takes as long as {times_text(balance)} "
            "float32 operations: a kernel that does fewer for each byte waits for memory."
            + ("" if guess is None else f" You guessed {guess:g}.")
        )
    if all_ > 1:
        one, many = report.gb_per_second(1), report.gb_per_second()
        gains = [f"the bandwidth {times_text(many / one)} times"] if one and many else []
        one, many = report.gflops(threads=1), report.gflops()
        if one and many:
            gains.insert(0, f"the arithmetic {times_text(many / one)} times")
        found.append(f"{threads_of(all_).capitalize()} make {' and '.join(gains)} that of one.")
    if report.busy:
        found.append("Other programs used these cores meanwhile: the peaks may be higher.")
    found.append("Bar: the best reading; line: the middle half of all readings.")
    return found


def _bars(axes: Axes, rows: list[tuple[str, list[float]]], label: str) -> None:
    names = [name for name, _ in rows]
    best = [max(readings) for _, readings in rows]
    axes.barh(names, best, color=[SHADE if "1 thread" in name else INK for name in names],
              height=0.6)  # fmt: skip
    for row, (_, readings) in enumerate(rows):
        told = peak_of(readings)
        assert told is not None
        (line,) = axes.plot([told.low, told.high], [row, row], color="black", lw=1.5, marker="|")
        line.set_path_effects(OUTLINE)
        axes.annotate(f"{told.best:.3g}", (told.best, row), xytext=(5, 0),
                      textcoords="offset points", va="center")  # fmt: skip
    axes.set_xlim(0, 1.15 * max(best))
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(label)


def _mark(axes: Axes, report: Report, guess: float) -> None:
    """The peak that would follow from the guess, on the bar of float32 with all threads."""
    bandwidth = report.gb_per_second()
    assert bandwidth is not None
    row = len(report.arithmetic["float32"]) - 1
    most = axes.get_xlim()[1]
    place = min(guess * bandwidth, 0.985 * most)  # one beyond the picture stands at its edge
    (mark,) = axes.plot([place] * 2, [row - 0.4, row + 0.4], color=GUESS, lw=2.5, ls="--")
    mark.set_path_effects(OUTLINE)
    axes.annotate(
        f"your guess: {guess:g} a byte", (place, row + 0.5), color=GUESS, va="center",
        path_effects=OUTLINE, ha="right" if place > most / 2 else "left",
    )  # fmt: skip
