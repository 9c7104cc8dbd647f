"""Who runs when, as a timeline: one row a worker, filled where it runs and empty where it waits."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from tinytorch.lab.gil import Lock, Pair, conclusion
from tinytorch.lab.style import GUESS, INK, SHADE, STYLE, as_number, finish

_LOOKS: dict[str, dict[str, Any]] = {
    "Python": {"facecolor": INK, "edgecolor": INK},
    "NumPy": {"facecolor": SHADE, "edgecolor": "#5b7389", "hatch": "///"},
}
_HIGH = 0.7  # of a row


def draw_lock(lock: Lock, *, guess: Any = None, png: Path | None = None) -> None:
    """The three pairs of workers below each other, on one time axis.

    guess: milliseconds that the two Python workers were thought to need. png: writes the picture
    there in place of showing it.
    """
    guessed, caption = as_number(guess), conclusion(lock)
    if not lock.pairs:
        print(caption)
        return
    longest = max(pair.seconds for pair in lock.pairs) * 1e3
    with plt.rc_context(STYLE):
        figure, grid = plt.subplots(
            len(lock.pairs), 1, figsize=(10, 1.15 * len(lock.pairs) + 1.1), sharex=True,
            squeeze=False,
        )  # fmt: skip
        for axes, pair in zip(grid[:, 0], lock.pairs, strict=True):
            _timeline(axes, pair)
        first = grid[0, 0]
        if guessed is not None:
            place = min(guessed, longest * 1.12)
            first.axvline(place, color=GUESS, lw=2.5, ls="--")
            first.annotate("your guess", (place, -0.55), ha="center", va="bottom", color=GUESS,
                           annotation_clip=False)  # fmt: skip
            caption += (
                f"\nTwo Python workers took {lock.pairs[0].seconds * 1e3:.0f} ms; "
                f"you guessed {guessed:g}."
            )
        first.set_xlim(0, longest * 1.15)
        grid[-1, 0].set_xlabel("milliseconds since the first worker began")
        handles = [Patch(label=f"runs {'Python code' if kind == 'Python' else 'a NumPy call'}",
                         **look) for kind, look in _LOOKS.items()]  # fmt: skip
        handles.append(
            Patch(facecolor="white", edgecolor="#8a8a8a", label="waits, for the lock or for a core")
        )
        figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
        finish(figure, caption, threads="a pool of 2 threads", width=130, png=png)


def _timeline(axes: Axes, pair: Pair) -> None:
    for row, worker in enumerate(pair.workers):
        start, end = worker.steps[0].start - pair.begin, worker.steps[-1].end - pair.begin
        axes.broken_barh([(start * 1e3, (end - start) * 1e3)], (row - _HIGH / 2, _HIGH),
                         facecolor="white", edgecolor="#8a8a8a", lw=0.8)  # fmt: skip
        spans = [((a - pair.begin) * 1e3, (b - a) * 1e3) for a, b in worker.running()]
        axes.broken_barh(spans, (row - _HIGH / 2, _HIGH), lw=0.3, **_LOOKS[worker.kind])
    axes.annotate(f"{pair.seconds * 1e3:.0f} ms,\nboth {pair.together:.0%}",
                  (pair.seconds * 1e3, 0.5), xytext=(6, 0), textcoords="offset points",
                  va="center", fontsize=8.5)  # fmt: skip
    axes.set(ylim=(1.6, -0.6))
    axes.set_yticks([0, 1], [f"{w.kind}, worker {i + 1}" for i, w in enumerate(pair.workers)])
    axes.grid(axis="y", visible=False)
