"""Pictures of what sums and a model make of quantization: accumulator headroom, the digits.

The numbers come from quantization; the house style, the caption and the guess from plots. Nothing
is timed. Readable in grey.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from tinytorch.lab.quantization import (
    ACCUMULATORS,
    BIGGEST_PRODUCT,
    DigitsAccuracy,
    Product,
    first_wrong_sum,
    largest_integer,
    sums_are_exact,
)
from tinytorch.lab.quantization_plots import _GREY, _said, _upright
from tinytorch.lab.style import (
    GUESS,
    INK,
    OUTLINE,
    STYLE,
    as_number,
    finish,
    label_ends,
    log_ticks,
    within,
)
from tinytorch.lab.wording import amount_text

_TRIED = (1, 2, 10, 100, 1_000, 1_027, 10_000, 100_000)  # terms that a kernel's sums are tried with


def headroom(product: Product | None = None, *, guess: Any = None) -> None:
    """The largest sum of int8 products against what accumulators hold; where each goes wrong.

    product: the reader's `quantized_matmul`; its sums are checked too, up to 100,000 terms.
    guess: the number of terms at which float32 was thought to be wrong for the first time.
    """
    guessed, terms = as_number(guess), 10 ** np.linspace(0, 6, 61)
    wrong = {name: first_wrong_sum(name) for name in ACCUMULATORS}
    found = ", ".join(f"{name} at {count:,}" for name, count in wrong.items())
    caption = f"First wrong sum, measured: {found} terms.{_said(guessed, ' for float32')}"
    exact = [] if product is None else sums_are_exact(product, _TRIED)
    if exact:
        good = [k for k, right in zip(_TRIED, exact, strict=True) if right]
        bad = [k for k, right in zip(_TRIED, exact, strict=True) if not right]
        caption += (
            f"\nYour kernel is wrong with {', '.join(f'{k:,}' for k in bad)} terms: look at the "
            "type of its sums."
            if bad
            else f"\nYour kernel is right with up to {good[-1]:,} terms."
        )
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7.5, 4.4))
        axes.plot(terms, BIGGEST_PRODUCT * terms, color=INK, lw=2)
        ends = [(terms[-1], BIGGEST_PRODUCT * terms[-1], "largest sum", "black")]
        for count, right in zip(_TRIED, exact, strict=bool(exact)):
            axes.plot(count, BIGGEST_PRODUCT * count, "o" if right else "s", color=INK,
                      mfc="white", mew=1.5, ms=11)  # fmt: skip
        if exact:
            side = "right" if exact[3] else "wrong"
            note = f"{'circle' if exact[3] else 'square'}: your kernel, {side}"
            _named(axes, _TRIED[3], note, (-10, 6), "right")
        for name, count in wrong.items():
            limit = largest_integer(name)
            axes.axhline(limit, color=_GREY, lw=1, ls="--", zorder=1)
            axes.plot(count, BIGGEST_PRODUCT * count, "X", color="black", ms=8, mec="white")
            small = count < 100
            _named(axes, count, f"{name}: wrong at {count:,}",
                   (12, -10 if count == 1 else 0) if small else (-10, 10),
                   "left" if small else "right")  # fmt: skip
            ends.append((terms[-1], limit, f"{name} holds {_rounded(limit)}", "black"))
        axes.set(xscale="log", yscale="log", xlabel="K, terms of the sum (logarithmic)")
        axes.set_ylabel("largest sum of K int8 products")
        if guessed is not None:
            place = within(guessed, 1, terms[-1])
            side = "left" if place < 1e5 else "right"
            _upright(axes, place, "your guess", 0.2, side, GUESS, "--")
        log_ticks(axes.xaxis, amount_text)
        label_ends(axes, ends, size=9)
        finish(figure, caption)


def _named(axes: Axes, count: int, text: str, away: tuple[int, int], side: str) -> None:
    axes.annotate(text, (count, BIGGEST_PRODUCT * count), xytext=away, va="center", ha=side,
                  textcoords="offset points", path_effects=OUTLINE)  # fmt: skip


def _rounded(value: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:,}"


def digits_accuracy(found: DigitsAccuracy, *, guess: Any = None) -> None:
    """Accuracy of the digits network against the bits of its weights and inputs.

    found: from `digits_by_bits`. guess: the fewest bits thought to lose at most one point.
    """
    guessed, whole = as_number(guess), 100 * found.unquantized
    own, one = (100 * np.array(found_) for found_ in (found.own_scales, found.one_scale))
    enough = [b for b, a in zip(found.bits, own, strict=True) if whole - a <= 1 + 1e-9]
    first = "No number of bits tried" if not enough else f"{min(enough)} bits"
    fewest = int(np.argmin(found.bits))
    caption = (
        f"float32 reads {whole:.1f} % of the digits. {first} {'lose' if enough else 'loses'} at "
        f"most one point.{_said(guessed, ' bits')}\nWith {found.bits[fewest]} bits: "
        f"{own[fewest]:.0f} % with a scale per output channel, {one[fewest]:.0f} % with one scale "
        "for each weight matrix."
    )
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7.5, 3.8))
        axes.plot(found.bits, own, color=INK, marker="o", ms=6, lw=2)
        axes.plot(found.bits, one, color=_GREY, marker="D", mfc="white", ms=6, ls="--")
        axes.axhline(whole, color="black", lw=1, ls=":")
        axes.axhline(10, color="black", lw=1, ls=":")
        axes.set(xlabel="bits of weights and inputs", ylabel="accuracy, %", ylim=(0, 105))
        axes.set_xticks(found.bits)
        axes.set_xlim(min(found.bits) - 0.7, max(found.bits) + 0.2)  # room for a label
        if guessed is not None:
            place = float(np.clip(guessed, min(found.bits) - 0.6, max(found.bits) + 0.1))
            side = "left" if place < max(found.bits) - 1 else "right"
            _upright(axes, place, "your guess", 0.5, side, GUESS, "--")
        at = min(1, len(found.bits) - 1)
        for y, name, away, side in (
            (own, "scale per channel", (-10, -2), "right"),
            (one, "one scale", (10, -8), "left"),
        ):
            axes.annotate(name, (found.bits[at], y[at]), xytext=away, textcoords="offset points",
                          ha=side, va="center", path_effects=OUTLINE)  # fmt: skip
        ends = [(max(found.bits), whole, "float32", "black"),
                (max(found.bits), 10.0, "by chance", "black")]  # fmt: skip
        label_ends(axes, ends)
        finish(figure, caption)
