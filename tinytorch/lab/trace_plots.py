"""Pictures of a simulated cache: where a kernel misses, and how it walks through its matrices.

Everything drawn here is counted, not timed, so no caption names a machine. Readable in grey.
"""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from PIL import Image  # matplotlib's own dependency

from tinytorch.core.tensor import positive_int
from tinytorch.lab.cache_model import CacheModel, CacheReport
from tinytorch.lab.style import INK, STYLE, finish, you_guessed
from tinytorch.lab.trace import WORKSPACE, Trace
from tinytorch.lab.wording import times_text

_DARKER = LinearSegmentedColormap.from_list("misses", ["white", "#c9d7e4", INK, "black"])
_STATES = (
    "not in the cache",
    "in the cache",
    "touched in this part: hit",
    "touched in this part: missed (x)",
)
_COLOURS = ("#ffffff", "#ccd9e5", "#5b86ad", "#8c2d04")
_IN_CACHE, _HIT, _MISS = 1, 2, 3
_GRID: dict[Any, Any] = {**STYLE, "axes.grid": False, "axes.spines.top": True,
                         "axes.spines.right": True}  # fmt: skip


def miss_maps(
    runs: Mapping[str, Trace],
    model: CacheModel | None = None,
    *,
    guess: Any = None,
    png: Path | None = None,
) -> None:
    """One row for each kernel, one panel for each matrix: the darker a line, the more it missed.

    runs: name -> trace of the same product; the first is the yardstick. model: the cache, by
    default 32 lines of 8 elements. guess: how many times fewer misses the last was thought to
    have. png: writes the picture there in place of showing it.
    ValueError without a run, or for arrays that are not 1-D or 2-D.
    """
    model = model or CacheModel()
    about = _about(runs, model)
    arrays, runs, reports = _prepared(runs, model)
    lines = {name: [_by_line(runs[name], reports[name], array, model) for array in arrays]
             for name in runs}  # fmt: skip
    most = max(float(panel.max()) for panels in lines.values() for panel in panels)
    norm = LogNorm(0.5, max(2.0, most), clip=True)
    with plt.rc_context(_GRID):
        figure, grid = _panels(runs, arrays)
        for row, name in zip(grid, runs, strict=True):
            for axes, array, panel in zip(row, arrays, lines[name], strict=True):
                axes.imshow(panel, cmap=_DARKER, norm=norm, interpolation="none")
                counts = reports[name].by_array[array]
                axes.set_title(
                    f"{array}: {counts.misses:,} misses,\n"
                    f"{_share(counts.hits, counts.misses)} of its accesses",
                    fontsize=9,
                )
            _row_label(row[0], name, reports[name].misses)
        _axis_labels(grid)
        scale = ScalarMappable(norm, _DARKER)
        label = f"misses per line of {model.line_elements} elements (logarithmic)"
        ticks = [10**e for e in range(6) if 10**e <= norm.vmax]
        bar = figure.colorbar(scale, ax=grid, label=label, shrink=0.8, aspect=30, ticks=ticks)
        bar.ax.set_yticklabels([f"{tick:,}" for tick in ticks])
        bar.ax.minorticks_off()
        finish(figure, _conclusion(runs, reports, guess), about=about, png=png)


class Film:
    """Frames with a slider. A notebook shows it as the last value of a cell.

    html: an image and a slider, all in one piece, without any package or network; where scripts
    or sliders are stripped, the image alone remains. still: that image, PNG. caption: what it says.
    """

    def __init__(self, frames: list[bytes], captions: list[str], still: int, label: str) -> None:
        self.still, self.caption = frames[still], captions[still]
        encoded = [base64.b64encode(frame).decode() for frame in frames]
        # The frames sit in an attribute: what strips the slider strips them too.
        script = (
            "this.closest('figure').querySelector('img').src="
            "'data:image/png;base64,'+JSON.parse(this.dataset.frames)[this.value]"
        )
        self.html = (
            '<figure style="margin:0">'
            f'<img src="data:image/png;base64,{encoded[still]}" alt="{html.escape(self.caption)}"'
            ' style="max-width:100%">'
            f'<br><label>{html.escape(label)} <input type="range" min="0" max="{len(frames) - 1}"'
            f' value="{still}" style="width:24em;max-width:60%" oninput="{script}"'
            # JupyterLab would take the arrow keys for a move to another cell.
            ' data-lm-suppress-shortcuts="true"'
            f" data-frames='{json.dumps(encoded)}'></label></figure>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        still = base64.b64encode(self.still).decode()
        return {"text/html": self.html, "image/png": still, "text/plain": self.caption}

    def __repr__(self) -> str:
        return self.caption


def access_film(
    runs: Mapping[str, Trace], model: CacheModel | None = None, *, frames: int = 16, parts: int = 64
) -> Film:
    """How kernels walk through their matrices, with what the cache holds, behind a slider.

    runs: name -> trace of the same product, one row of panels each. The accesses of each are cut
    into `parts` of equal work, or nearly so where a product of tiles would be cut in two. Frame f
    shows part f: which elements it touched, whether any of these accesses missed, and what is in
    the cache at its end. Tiles of 8 by 8 in 32 by 32 matrices make 64 steps, so that there a part
    is a step, and the 16 frames are the first row of C's tiles.
    ValueError as `miss_maps`, or unless 1 <= frames <= parts.
    """
    model = model or CacheModel()
    about = _about(runs, model)
    if positive_int("frames", frames) > positive_int("parts", parts):
        raise ValueError(f"frames must be at most parts, got {frames} frames of {parts} parts")
    arrays, runs, reports = _prepared(runs, model)
    states = {name: _walk(run, reports[name], arrays, model, frames, parts)
              for name, run in runs.items()}  # fmt: skip
    captions, images = [], []
    with plt.rc_context(_GRID | {"figure.dpi": 90}):
        figure, grid = _panels(runs, arrays)
        draw = {name: _Row(row, states[name][0]) for row, name in zip(grid, runs, strict=True)}
        for axes, array in zip(grid[0], arrays, strict=True):
            axes.set_title(array)
        _axis_labels(grid)
        handles = [Patch(facecolor=c, edgecolor="grey", label=s)
                   for c, s in zip(_COLOURS, _STATES, strict=True)]  # fmt: skip
        figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False)
        for frame in range(frames):
            so_far = {}
            for name, run in runs.items():
                done = _cuts(run, frames, parts)[frame + 1]
                so_far[name] = int(np.count_nonzero(reports[name].missed[:done]))
                draw[name].show(states[name][frame])
                _row_label(draw[name].axes[0], name, so_far[name], " so far")
            found = "; ".join(f"{name}: {misses:,} misses" for name, misses in so_far.items())
            captions.append(f"After {frame + 1} of {parts} equal parts of the work, {found}.")
            # Unlike a text of the figure, this one is given room by the layout.
            figure.supxlabel(f"{captions[-1]}\n{about}", x=0.01, ha="left", fontsize=9)
            images.append(_png(figure))
            figure.set_layout_engine("none")  # laid out once: the frames must not jump
        plt.close(figure)
    return Film(images, captions, still=frames // 2, label="part of the work")


class _Row:
    """The panels of one kernel in a film."""

    def __init__(self, axes: np.ndarray, first: list[np.ndarray]) -> None:
        self.axes = axes
        style: dict[str, Any] = {
            "cmap": ListedColormap(_COLOURS),
            "vmin": 0,
            "vmax": len(_COLOURS) - 1,
        }
        self._images = [a.imshow(panel, **style) for a, panel in zip(axes, first, strict=True)]
        # In grey, a miss is known by its cross.
        self._marks = [a.plot([], [], "x", color="white", ms=3, mew=0.8)[0] for a in axes]

    def show(self, panels: list[np.ndarray]) -> None:
        """Draw these states in place of the last ones."""
        for panel, image, mark in zip(panels, self._images, self._marks, strict=True):
            image.set_data(panel)
            rows, columns = np.nonzero(panel == _MISS)
            mark.set_data(columns, rows)


def _prepared(
    runs: Mapping[str, Trace], model: CacheModel
) -> tuple[list[str], dict[str, Trace], dict[str, CacheReport]]:
    """The arrays that all runs share, the runs on these alone, and what the cache made of them."""
    if not runs:
        raise ValueError("a picture needs at least one trace, got none")
    first = next(iter(runs.values()))
    shared = set.intersection(*(set(run.arrays) for run in runs.values())) - {WORKSPACE}
    arrays = [array for array in first.arrays if array in shared]
    if not arrays:
        raise ValueError("the traces have no array in common: give them the same names")
    for array in arrays:
        if len(first.arrays[array].shape) not in (1, 2):
            raise ValueError(f"{array} must be 1-D or 2-D, got shape {first.arrays[array].shape}")
    kept = {name: run.only(*arrays) for name, run in runs.items()}
    return arrays, kept, {name: model.run(run) for name, run in kept.items()}


def _picture(run: Trace, array: str) -> np.ndarray:
    """Where in memory each element lies, as rows and columns."""
    return np.atleast_2d(run.places(array))


def _by_line(run: Trace, report: CacheReport, array: str, model: CacheModel) -> np.ndarray:
    """For each element, how often its line was missed."""
    mine = report.missed & (run.ids == list(run.arrays).index(array))
    count = -(-run.arrays[array].size // model.line_elements)
    totals = np.bincount(run.elements[mine] // model.line_elements, minlength=count)
    return totals[_picture(run, array) // model.line_elements]


def _cuts(run: Trace, frames: int, parts: int) -> list[int]:
    """The first access of each part, and the end of the last one that is shown."""
    cuts = np.arange(frames + 1) * len(run) // parts
    products = [step.start for step in run.steps if step.kind == "product"]
    if len(products) >= parts:  # then none is cut in two
        ends = np.array([*products, len(run)])
        cuts[1:] = ends[np.abs(ends[:, None] - cuts[1:]).argmin(axis=0)]
    return cuts.tolist()


def _walk(
    run: Trace, report: CacheReport, arrays: list[str], model: CacheModel, frames: int, parts: int
) -> list[list[np.ndarray]]:
    """For each frame and array, the state of every element."""
    cuts = _cuts(run, frames, parts)
    starts = model.first_lines(run)
    states = []
    for (start, stop), held in zip(pairwise(cuts), model.held(run, cuts[1:]), strict=True):
        panels = []
        for array in arrays:
            size = run.arrays[array].size
            mine = run.ids[start:stop] == list(run.arrays).index(array)
            touched, missed = run.elements[start:stop][mine], report.missed[start:stop][mine]
            state = (
                np.isin(starts[array] + np.arange(size) // model.line_elements, held) * _IN_CACHE
            )
            state[touched] = _HIT
            state[touched[missed]] = _MISS
            panels.append(state[_picture(run, array)])
        states.append(panels)
    return states


def _panels(runs: Mapping[str, Trace], arrays: list[str]) -> tuple[Figure, np.ndarray]:
    size = 2.9 * len(arrays) + 0.6, 2.7 * len(runs) + 0.9
    return plt.subplots(len(runs), len(arrays), figsize=size, squeeze=False)


def _axis_labels(grid: np.ndarray) -> None:
    for axes in grid.flat:
        axes.tick_params(labelsize=8, labelbottom=axes in grid[-1])
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    for axes in grid[-1]:
        axes.set_xlabel("column", fontsize=9)


def _row_label(axes: Axes, name: str, misses: int, when: str = "") -> None:
    # Of constant width, so that the frames of a film do not jump.
    axes.set_ylabel(f"{name}\n{misses:>7,} misses{when}\n\nrow", fontsize=9)


def _share(hits: int, misses: int) -> str:
    """The misses among the accesses, in percent."""
    percent = 100 * misses / max(1, hits + misses)
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.2g} %"


def _conclusion(runs: Mapping[str, Trace], reports: Mapping[str, CacheReport], guess: Any) -> str:
    """Who misses how often, and where the first one's misses fall."""
    first, *_, last = [*runs, *runs]
    report, other = reports[first], reports[last]
    worst = max(report.by_array, key=lambda array: report.by_array[array].misses)
    share = _share(report.misses - report.by_array[worst].misses, report.by_array[worst].misses)
    text = f"{first}: {report.misses:,} misses, {share} of them in {worst}."
    if last != first:
        ratio = report.misses / max(1, other.misses)
        compared = f"{times_text(ratio)} times fewer" if ratio > 1 else "no fewer"
        text += f" {last}: {other.misses:,}, {compared}."
        text += you_guessed(guess)
    text += f"\n{report.compulsory:,} misses are due to first touches and cannot be avoided."
    large = [name for name, found in reports.items() if found.too_large]
    if large:
        text += (
            f"\nSome products of {' and '.join(large)} do not fit into the cache: "
            "their misses are counted too low."
        )
    return text


def _about(runs: Mapping[str, Trace], model: CacheModel) -> str:
    """What was simulated, in brackets under a caption."""
    left_out = any(run.counts.get(WORKSPACE, (0, 0)) != (0, 0) for run in runs.values())
    rest = "; copies and intermediate results left out" if left_out else ""
    return f"(simulated cache: {model}{rest})"


def _png(figure: Figure) -> bytes:
    """The figure in 32 colours: a quarter of the bytes, and nothing that one would see."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    buffer = io.BytesIO()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    image.quantize(32, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
    return buffer.getvalue()
