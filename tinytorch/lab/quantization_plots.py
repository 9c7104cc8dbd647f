"""Pictures of what quantization costs a product: error, saturation, bits, outlier channels.

Headroom and a whole model have theirs in headroom_plots. The numbers come from quantization; the
house style, the caption and the guess from plots. Nothing is timed. Readable in grey.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from tinytorch.lab.quantization import (
    BitsSweep,
    ChannelErrors,
    ScaleSweep,
    last_level,
)
from tinytorch.lab.style import (
    GUESS,
    INK,
    OUTLINE,
    SHADE,
    STYLE,
    as_number,
    finish,
    label_ends,
    log_ticks,
    within,
)
from tinytorch.lab.wording import amount_text, times_text

_GREY = "#6a6a6a"


def _percent(share: float) -> str:
    """A share of 1: '1.3 %', '0 %', '87 %'."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def _ratio(more: float, less: float) -> float:
    return more / less if 0 < less < np.inf else 1.0


def _said(guess: float | None, unit: str = "") -> str:
    return "" if guess is None else f" You guessed {guess:,g}{unit}."


def _floor(errors: np.ndarray) -> float:
    """Where a logarithmic axis of errors begins; an error of zero is drawn there."""
    seen = errors[(errors > 0) & np.isfinite(errors)]
    return float(seen.min()) / 4 if seen.size else 1e-6


def _heights(errors: np.ndarray, floor: float) -> np.ndarray:
    """Shares in percent, brought to what can be drawn."""
    return 100 * np.clip(errors, floor, 1e4)


def _error_axis(axes: Axes, floor: float, most: float, label: str) -> None:
    """A logarithmic axis with room for errors from `floor` (a share) to `most` (percent).

    Before anything is plotted: of equal errors matplotlib would make an axis without height.
    """
    axes.set_yscale("log")
    axes.set_ylim(100 * floor, 2 * most)
    axes.set_ylabel(label)


def _upright(
    axes: Axes, place: float, text: str, height: float, side: str, colour: str, dashes: str = "-"
) -> None:
    """A vertical line with its name, at a share of the axes' height, on its left or right side."""
    axes.axvline(place, color=colour, ls=dashes, lw=1.5)
    away = -5 if side == "right" else 5  # a text aligned right stands left of the line
    axes.annotate(
        text,
        (place, height),
        xycoords=("data", "axes fraction"),
        xytext=(away, 0),
        textcoords="offset points",
        ha=side,
        va="center",
        color=colour,
        path_effects=OUTLINE,
    )


def scale_tradeoff(sweep: ScaleSweep, *, guess: Any = None) -> None:
    """Error and saturation rate over the same scales: cut off at the left, blurred at the right.

    sweep: from `sweep_scales`. guess: the scale of the least error.
    """
    scales, best, last = sweep.scales, sweep.best, last_level(sweep.bits)
    guessed, least = as_number(guess), sweep.error[best]
    nearest = int(np.argmin(abs(np.log(scales / sweep.covering))))
    more = _ratio(sweep.error[nearest], least)
    caption = (
        f"Least error {_percent(least)} at scale {scales[best]:.3g}: values up to "
        f"{last * scales[best]:.2g} are kept, {_percent(sweep.saturated[best])} of all are cut "
        f"off.\nAt {sweep.covering:.3g}, the largest value / {last}, none is cut off and the error "
        f"is {times_text(more)} times the least.{_said(guessed)}"
    )
    with plt.rc_context(STYLE):
        figure, (above, below) = plt.subplots(
            2, 1, figsize=(7.5, 5.2), sharex=True, height_ratios=(2, 1)
        )
        floor = _floor(sweep.error)
        error = _heights(sweep.error, floor)
        _error_axis(above, floor, max(100.0, error.max()), "error of the product, %")
        above.plot(scales, error, color=INK, lw=2, marker="o", ms=4)
        _limit(above, scales, sweep.cut_off, floor, "if only cut off", "--", -1)
        _limit(above, scales, sweep.blurred, floor, "if only rounded", ":", 0)
        above.set_xscale("log")
        below.fill_between(scales, 100 * sweep.saturated, color=SHADE)
        below.plot(scales, 100 * sweep.saturated, color=INK, lw=2, marker="o", ms=4)
        below.set(ylabel="values cut off, %", ylim=(0, 105))
        below.set_xlabel("scale of both matrices (logarithmic)")
        for axes, names in ((above, ("best", f"max/{last}", "your guess")), (below, ("", "", ""))):
            _upright(axes, scales[best], names[0], 0.94, "right", "black")
            _upright(axes, sweep.covering, names[1], 0.94, "left", "black", "-.")
            if guessed is not None:
                place = within(guessed, scales.min(), scales.max())
                side = "right" if place < scales[best] else "left"
                _upright(axes, place, names[2], 0.5, side, GUESS, "--")
        log_ticks(above.yaxis, amount_text)
        log_ticks(below.xaxis, amount_text)
        label_ends(above, [(scales[-1], error[-1], "measured", "black")])
        finish(figure, caption)


def _limit(
    axes: Axes, x: np.ndarray, y: np.ndarray, floor: float, text: str, dashes: str, end: int
) -> None:
    """A dashed curve above `floor` behind the measured one, named at its first or last point."""
    shown = np.flatnonzero((y > floor) & np.isfinite(y))
    if shown.size:
        axes.plot(x[shown], 100 * y[shown], color=_GREY, ls=dashes, lw=2, zorder=1.5)
        at = x[shown[end]], 100 * y[shown[end]]
        axes.annotate(text, at, xytext=(-10, 0), textcoords="offset points",
                      ha="right", path_effects=OUTLINE)  # fmt: skip


def bits_and_scale(sweep: BitsSweep, *, guess: Any = None) -> None:
    """Left: the error over the scale, a curve for each number of bits. Right: each one's least.

    sweep: from `sweep_bits`. guess: how many times larger the least error of half as many bits as
    the most (4 for 8) was thought to be.
    """
    bits, least, guessed = sorted(sweep.errors), sweep.least, as_number(guess)
    few, many = min(bits, key=lambda b: abs(b - bits[-1] / 2)), bits[-1]
    ratio = _ratio(least[few], least[many])
    each = ratio ** (1 / max(1, many - few))
    kept = {b: sweep.limits[int(np.argmin(sweep.errors[b]))] for b in bits}
    caption = (
        f"{few} bits in place of {many}: {times_text(ratio)} times the error, {each:.2g} times for "
        f"each bit.{_said(guessed)}\nThe fewer the bits, the more it pays to cut off: {few} bits "
        f"do best with values up to {_percent(kept[few])} of the largest, {many} with "
        f"{_percent(kept[many])}."
    )
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(9.5, 4.2), sharey=True, width_ratios=(1.5, 1)
        )
        floor = _floor(np.concatenate([sweep.errors[b] for b in bits]))
        errors = {b: _heights(sweep.errors[b], floor) for b in bits}
        lows = [float(errors[b].min()) for b in bits]
        _error_axis(left, floor, max(e.max() for e in errors.values()), "error of the product, %")
        for b, low in zip(bits, lows, strict=True):
            left.plot(sweep.limits, errors[b], color=INK, lw=1.2)
            left.plot(kept[b], low, "o", color=INK, ms=6)
        left.set_xscale("log")
        left.set_xlabel("largest value kept: scale · last level / max")
        left.set_title("dot: the best scale", fontsize=10)
        right.plot(bits, lows, color=INK, marker="o", ms=6)
        right.set_title("at the best scale", fontsize=10)
        right.set_xlabel("bits of a level")
        right.xaxis.set_major_locator(MaxNLocator(integer=True))
        if guessed is not None:
            place = within(lows[-1] * guessed, min(lows), max(lows))
            right.plot(few, place, "D", color=GUESS, ms=9, markerfacecolor="white", mew=2)
            _beside(right, few, place, "your guess")
        low, high = left.get_ylim()
        ticks = [digit * 10.0**e for e in range(-6, 5) for digit in (1, 2, 5)]
        left.set_yticks([tick for tick in ticks if low <= tick <= high])
        left.yaxis.set_major_formatter(amount_text)
        left.set_xticks([2.0**e for e in range(-4, 2)])
        left.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
        left.xaxis.set_minor_locator(NullLocator())
        ends = [(sweep.limits[-1], errors[b][-1], f"{b} bits", "black") for b in bits]
        label_ends(left, ends, size=9)
        finish(figure, caption)


def _beside(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(
        text,
        (x, y),
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        color=GUESS,
        path_effects=OUTLINE,
    )


def channel_dots(found: ChannelErrors, *, guess: Any = None) -> None:
    """The error of every output channel, with one scale for all of them and with one each.

    found: from `channel_errors`. guess: how many times larger the median error of the channels
    but the outlier was thought to be with one scale.
    """
    guessed, rest = as_number(guess), found.others
    shared, own = (float(np.median(e[rest])) for e in (found.one_scale, found.own_scales))
    ratio = _ratio(shared, own)
    caption = (
        f"Channel {found.outlier} has weights {times_text(found.factor)} times as large as a "
        f"median channel. With one scale the others are off by {_percent(shared)},\n"
        f"with a scale of their own by {_percent(own)}: {times_text(ratio)} times less."
        f"{_said(guessed)}"
    )
    channels = np.arange(len(found.one_scale))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7.5, 3.8))
        floor = _floor(np.concatenate([found.one_scale, found.own_scales]))
        one, each = _heights(found.one_scale, floor), _heights(found.own_scales, floor)
        _error_axis(axes, floor, max(one.max(), each.max()), "error of the channel, %")
        axes.vlines(channels, each, one, color=SHADE, lw=1, zorder=1)
        axes.plot(channels, one, "D", color=INK, mfc="white", mew=1.5, ms=6)
        axes.plot(channels, each, "o", color=INK, ms=5)
        axes.set_xlabel("output channel (column)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        low, high = axes.get_ylim()
        ends = [
            (channels[-1], float(np.median(each[rest])), "own scale", "black"),
            (channels[-1], float(np.median(one[rest])), "one scale for all", "black"),
        ]
        if guessed is not None:
            place = within(float(np.median(each[rest])) * guessed, low, high)
            axes.axhline(place, color=GUESS, ls="--", lw=2)
            ends.append((channels[-1], place, "your guess", GUESS))
        axes.annotate(
            "the outlier",
            (found.outlier, one[found.outlier]),
            xytext=(0, 14),
            textcoords="offset points",
            ha="center",
            path_effects=OUTLINE,
        )
        log_ticks(axes.yaxis, amount_text)
        label_ends(axes, ends)
        finish(figure, caption)
