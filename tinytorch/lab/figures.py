"""What several pictures of the lab share: a caption that fits, labels that do not overlap, PNGs.

The house style itself is that of plots. Nothing is measured here.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

from tinytorch.lab.measure import machine_line


def apart(places: Sequence[float], gap: float) -> list[float]:
    """The places, moved as little as need be until neighbours are `gap` apart. Order is kept."""
    order = np.argsort(places, kind="stable")
    wanted = np.asarray(places, float)[order] - gap * np.arange(len(places))
    # The closest rising sequence is found by pooling neighbours that fall (isotonic regression).
    pools: list[list[float]] = []
    for value in wanted:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            value, count = pools.pop()
            mean, before = pools[-1]
            pools[-1] = [(mean * before + value * count) / (before + count), before + count]
    flat = np.concatenate([[mean] * int(count) for mean, count in pools]) if pools else np.array([])
    moved = np.empty(len(places))
    moved[order] = flat + gap * np.arange(len(places))
    return moved.tolist()


def labels_beside(
    axes: Axes,
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    x: float,
    *,
    gap: float = 12.0,
    colour: str = "black",
) -> None:
    """Texts in a column at x (data), each at the height of its point or near, with a thin line.

    gap: points (1/72 inch) from one text to the next. To be called once limits and scales are set.
    """
    figure = cast(Figure, axes.figure)
    figure.canvas.draw()  # lays the figure out
    pixels = axes.transData.transform(points)
    figure.set_layout_engine("none")  # what is placed in pixels must not be moved afterwards
    heights = apart(pixels[:, 1].tolist(), gap * figure.dpi / 72)
    column = axes.transData.transform((x, 1.0))[0]
    back = axes.transData.inverted()
    for point, text, height in zip(points, texts, heights, strict=True):
        axes.annotate(
            text,
            point,
            xytext=tuple(back.transform((column, height))),
            va="center",
            ha="left",
            fontsize=8.5,
            color=colour,
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": "#8a8a8a", "shrinkA": 1,
                        "shrinkB": 3},
        )  # fmt: skip


def finish(
    figure: Figure, caption: str, threads: str, png: Path | None = None, width: int = 112
) -> None:
    """Caption, machine and threads below the figure, then show it, or write it to `png`."""
    wrapped = "\n".join(textwrap.fill(line, width) for line in caption.splitlines())
    about = f"({machine_line()}; {threads})"
    below = offset_copy(figure.transFigure, figure, x=6, y=-4, units="points")
    figure.text(0, 0, f"{wrapped}\n{about}", transform=below, va="top", fontsize=9)
    if png is not None:
        figure.savefig(png, bbox_inches="tight")
    else:
        plt.show()
        if plt.get_backend().lower() == "agg":  # without a display the sentence is what remains
            print(caption)
    plt.close(figure)
