"""The picture of the cache ladder. Nothing is measured here (see cache_ladder)."""

from __future__ import annotations

import re
import statistics
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tinytorch.lab.cache_ladder import CacheLadder, bytes_of
from tinytorch.lab.style import GUESS, INK, OUTLINE, SHADE, STYLE, as_number, finish, log_ticks
from tinytorch.lab.wording import amount_text

_WIDE = 126  # letters in a line of the caption


def draw_cache_ladder(ladder: CacheLadder, *, guess: Any = None, png: Path | None = None) -> None:
    """Bandwidth and latency by working set, with the reported caches and the reader's guess.

    guess: the sizes in bytes at which the curves were thought to fall, one number or a list of
    them. png: writes the picture there in place of showing it. Of a ladder that could not be
    measured, prints why.
    """
    if not ladder.sizes:
        print(ladder.missing)
        return
    guesses = _guesses(guess)
    sentences = ladder.conclusion()
    if guesses:
        sentences.append(f"You guessed {', '.join(bytes_of(size) for size in guesses)}.")
    sentences.append("One thread. Line: the best reading; shade: three quarters of all readings.")
    caption = "\n".join(_wrapped(sentence) for sentence in sentences)
    with plt.rc_context(STYLE):
        figure, (top, bottom) = plt.subplots(2, figsize=(8.6, 6), sharex=True)
        low = [statistics.quantiles(r, n=4)[0] if r[1:] else r[0] for r in ladder.bandwidth]
        high = [statistics.quantiles(r, n=4)[2] if r[1:] else r[0] for r in ladder.latency]
        _curve(top, ladder.sizes, ladder.best_bandwidth, low, "GB/s")
        _curve(bottom, ladder.sizes, ladder.best_latency, high, "ns")
        top.set(ylabel="bandwidth, GB/s")
        top.set_title("How fast data comes, by how much of it there is", pad=30)
        bottom.set(ylabel="latency of a load, ns", xlabel="working set (logarithmic)")
        first, last = ladder.sizes[0], ladder.sizes[-1]
        top.set_xlim(first / 1.25, last * 1.9)
        places = [min(max(size, first), last) for size in guesses]
        for axes in (top, bottom):
            log_ticks(axes.yaxis, amount_text)
            for size in ladder.caches.values():
                if first < size < last:
                    axes.axvline(size, color="black", lw=1.2, ls=":")
            for place in places:
                axes.axvline(place, color=GUESS, lw=2, ls="--")
        _cache_names(top, ladder)
        if places:
            top.set_ylim(bottom=min(low) / 5)  # room for what stands at the foot of the guesses
        for place in places:
            top.annotate(
                "your guess", (place, 0.04), xycoords=("data", "axes fraction"), color=GUESS,
                rotation=90, xytext=(-3, 0), textcoords="offset points", ha="right", va="bottom",
            )  # fmt: skip
        _mark_cliffs(bottom, ladder)
        ticks = [4**power for power in range(5, 20) if first <= 4**power <= last]
        bottom.xaxis.set_major_locator(FixedLocator(ticks))
        bottom.xaxis.set_minor_locator(NullLocator())
        bottom.xaxis.set_major_formatter(FuncFormatter(lambda value, _: bytes_of(value)))
        finish(figure, caption, png=png)


def _wrapped(sentence: str) -> str:
    """In lines as wide as the picture, no size cut from its unit."""
    return textwrap.fill(re.sub(r"(\d) (?=[KMG]iB)", "\\1\xa0", sentence), _WIDE)


def _guesses(guess: Any) -> list[float]:
    """The guess as sizes; a word of advice for what is none."""
    several = isinstance(guess, Iterable) and not isinstance(guess, str | bytes)
    numbers = [as_number(one) for one in (guess if several else [guess])]
    return sorted(number for number in numbers if number is not None)


def _curve(
    axes: Axes, sizes: Sequence[int], best: Sequence[float], worse: Sequence[float], unit: str
) -> None:
    axes.set(xscale="log", yscale="log")
    axes.fill_between(sizes, best, worse, color=SHADE, alpha=0.6, lw=0)
    axes.plot(sizes, best, color=INK, marker="o", ms=4)
    axes.margins(y=0.15)
    axes.annotate(
        f"{best[-1]:.3g} {unit}", (sizes[-1], best[-1]), xytext=(7, 0),
        textcoords="offset points", va="center",
    )  # fmt: skip
    axes.annotate(
        f"{best[0]:.3g} {unit}", (sizes[0], best[0]), xytext=(0, 8), textcoords="offset points"
    )


def _cache_names(axes: Axes, ladder: CacheLadder) -> None:
    """What the system calls the caches, beside their lines."""
    for name, size in ladder.caches.items():
        if ladder.sizes[0] < size < ladder.sizes[-1]:
            axes.annotate(
                f"{name} reported:\n{bytes_of(size)}", (size, 1.01),
                xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=9,
            )  # fmt: skip


def _mark_cliffs(axes: Axes, ladder: CacheLadder) -> None:
    """A triangle and the size at each cliff."""
    latency = dict(zip(ladder.sizes, ladder.best_latency, strict=True))
    for cliff in ladder.cliffs():
        axes.plot([cliff.last], [latency[cliff.last]], "v", color="black", ms=9, mfc="white")
        axes.annotate(
            f"cliff: {bytes_of(cliff.last)}", (cliff.last, latency[cliff.last]),
            xytext=(8, -3), textcoords="offset points", va="top", fontsize=9,
            path_effects=OUTLINE,
        )  # fmt: skip
