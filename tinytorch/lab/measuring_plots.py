"""Pictures of measurement itself: first calls beside later ones, and what tracing costs.

The numbers come from measuring; bars, the house style, the caption and the guess from plots (which
also has the histogram of many runs). Readable in grey.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

from tinytorch.lab.measure import spread
from tinytorch.lab.measuring import TracingCost
from tinytorch.lab.plots import bars
from tinytorch.lab.style import (
    GUESS,
    INK,
    MARKERS,
    OUTLINE,
    STYLE,
    as_number,
    finish,
    label_ends,
    log_ticks,
    within,
)
from tinytorch.lab.wording import seconds_text, times_text

_GREY = "#6a6a6a"
_LEAST = 1e-9  # seconds; what took no time by a coarse clock is drawn there


def first_calls(times: Mapping[str, Sequence[float]], title: str, *, guess: Any = None) -> None:
    """The time of every call in the order of the calls, the first of each marked.

    times: name -> seconds, two entries at least, from `call_by_call`. guess: how many times as
    long as a later call the first one of the first name was thought to take.
    """
    guessed, found = as_number(guess), []
    later = {name: max(statistics.median(each[1:]), _LEAST) for name, each in times.items()}
    for name, each in times.items():
        found.append(
            f"{name}: {seconds_text(each[0])} first, {seconds_text(later[name])} later (median),"
        )
        found[-1] += f" {times_text(each[0] / later[name])} times as long."
    if guessed is not None:
        found[0] += f" You guessed {guessed:g}."
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7.5, 3.8))
        ends = []
        for index, (name, each) in enumerate(times.items()):
            colour, calls = (INK, _GREY)[index % 2], range(1, len(each) + 1)
            heights = [max(seconds, _LEAST) for seconds in each]
            axes.plot(calls, heights, color=colour, marker=MARKERS[index % 5], ms=4, lw=0.8)
            axes.plot(1, heights[0], "o", ms=13, mfc="none", color=colour, mew=1.5)
            ends.append((len(each), later[name], name, "black"))
        if guessed is not None:
            heights = [max(seconds, _LEAST) for each in times.values() for seconds in each]
            place = within(next(iter(later.values())) * guessed, min(heights), max(heights))
            axes.plot(1, place, "D", color=GUESS, ms=9, mfc="white", mew=2)
            axes.annotate("your guess", (1, place), xytext=(10, 0), textcoords="offset points",
                          va="center", color=GUESS, path_effects=OUTLINE)  # fmt: skip
        axes.set_yscale("log")
        axes.margins(y=0.2)
        axes.set_xlim(0.3, max(len(each) for each in times.values()) + 0.7)
        axes.set(title=title, xlabel="call (circle: the first)")
        axes.set_ylabel("time of the call (logarithmic)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        log_ticks(axes.yaxis, seconds_text)
        label_ends(axes, ends)
        finish(figure, "\n".join(found))


def tracing_bars(costs: Mapping[str, TracingCost], title: str, *, guess: Any = None) -> None:
    """Each call without and with tracemalloc, side by side; nothing where nothing was measured.

    costs: from `tracing_cost`. guess: how many times slower tracing makes the first one.
    """
    if not costs:
        return
    guessed, slower = as_number(guess), []
    pairs: dict[str, list[float]] = {}
    for name, cost in costs.items():
        pairs[name], pairs[f"{name}, traced"] = ([max(s, _LEAST) for s in each] for each in cost)
        untraced, traced = spread(pairs[name]), spread(pairs[f"{name}, traced"])
        apart = traced.lower > untraced.upper or traced.upper < untraced.lower
        times = (
            f"{times_text(traced.median / untraced.median)} times as long with tracing as without"
        )
        slower.append(f"{name}: {times if apart else 'no difference beyond the spread'}.")
    caption = "\n".join(slower)
    first = next(iter(costs))
    if guessed is not None:
        caption += f" You guessed {guessed:g} for {first}."
    bars(
        pairs,
        title,
        guess=None if guessed is None else 1 / guessed,
        about=f"{first}, traced",
        caption=caption,
    )
