"""The race as a picture, from a results file's record. Readable in grey. Nothing is measured here.

Above: per kernel, how many times as fast as its peers it is at each size, the middle half as a
band. Below: the share of this machine's measured peak that kernels reach.
"""

import statistics
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")  # a file is written; no display is needed
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from benchmarks.report import judge, name_of
from tinytorch.lab.style import label_ends

# One colour and marker per peer or kernel; one thread is a full line, several a broken one.
_COLOURS = (("#1f3b57", "o"), ("#8a8a8a", "s"), ("#c2571a", "D"), ("#5b8c5a", "^"))
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "axes.axisbelow": True,
}
_COLUMNS = 3
Curves = dict[tuple[str, int], list[dict[str, Any]]]  # (peer, threads) -> rows by size
End = tuple[float, float, str, str]  # x, y, label and colour of a curve's last point
Kernels = dict[str, Curves]
_X_LABELS = {"memory": "elements", "arithmetic": "N"}


def draw(record: dict[str, Any], path: Path) -> bool:
    """Write the picture; False, and nothing written, where no kernel has two sizes."""
    kernels = _curves([r for r in record["rows"] if r["kind"] == "ratio" and r["ours"]])
    if not kernels:
        return False
    rows = -(-len(kernels) // _COLUMNS) + 1
    with plt.rc_context(_STYLE):
        figure = plt.figure(figsize=(12, 2.4 * rows))
        for place, (name, curves) in enumerate(kernels.items()):
            row, column = divmod(place, _COLUMNS)
            axes = figure.add_axes(_place(row, rows, column, _COLUMNS))
            label_ends(axes, _ratios(axes, name, curves), size=7)
        for place, roof in enumerate(("arithmetic", "memory")):
            axes = figure.add_axes(_place(rows - 1, rows, place, 2))
            label_ends(axes, _shares(axes, record, roof), size=7)
        figure.text(0.01, -0.01, _caption(record), va="top")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, bbox_inches="tight", dpi=110)
        plt.close(figure)
    return True


def _place(row: int, rows: int, column: int, columns: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height in the figure, with room for labels at the right."""
    width = 1 / columns
    left, wide = column * width + 0.04, width - (0.04 + 0.135)
    return left, 1 - (row + 1) / rows + 0.22 / rows, wide, 0.62 / rows


def _curves(rows: list[dict[str, Any]]) -> Kernels:
    """Every kernel's curves. Peers after the first are drawn for one thread only."""
    found: Kernels = {}
    first: dict[str, str] = {}
    for row in rows:
        main = first.setdefault(name_of(row), row["against"])
        if row["against"] == main or row["threads"] == 1:
            key = (row["against"], row["threads"])
            found.setdefault(name_of(row), {}).setdefault(key, []).append(row)
    for name, curves in found.items():
        long = {key: sorted(some, key=_x) for key, some in curves.items() if len(some) > 1}
        found[name] = dict(sorted(long.items(), key=lambda item: item[0] != (first[name], 1)))
    return {name: curves for name, curves in found.items() if curves}


def _x(row: dict[str, Any]) -> float:
    return float(row["x"])


def _ratios(axes: Axes, name: str, curves: Curves) -> list[End]:
    axes.axhline(1, color="black", lw=1)
    ends, places = [], sorted({row["x"] for rows in curves.values() for row in rows})
    styles = dict(zip(dict.fromkeys(peer for peer, _ in curves), _COLOURS, strict=False))
    for (peer, threads), rows in curves.items():
        colour, marker = styles[peer]
        judged = [j for row in rows if (j := judge(row))]
        x, y = [row["x"] for row in rows], [j.reached for j in judged]
        axes.plot(x, y, color=colour, ls="-" if threads == 1 else "--", marker=marker, ms=3)
        low, high = [j.low for j in judged], [j.high for j in judged]
        axes.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)
        ends.append((x[-1], y[-1], _label(peer, threads), colour))
    axes.set(xscale="log", yscale="log", title=name, ylabel="times as fast")
    bottom, top = axes.get_ylim()
    axes.set_ylim(min(bottom, 0.5), max(top, 2))
    products = name.startswith("fused")
    _ticks(axes, places, "m k n" if products else _X_LABELS.get(rows[0]["roof"], "N"))
    _plain_heights(axes, (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100))
    return ends


def _shares(axes: Axes, record: dict[str, Any], roof: str) -> list[End]:
    """Work per second by the peak that was measured with the same number of threads."""
    axes.axhline(1, color="black", lw=1)
    groups: dict[tuple[str, int], dict[float, float]] = {}
    for row in record["rows"]:
        peak = record["peaks"].get(str(row["threads"]), {}).get(roof)
        if row["roof"] == roof and row["ours"] and peak and not row["variant"]:
            if row["kernel"].startswith("fused"):  # its sizes are not an N
                continue
            speed = row["work"] / statistics.median(row["ours"]) / 1e9
            groups.setdefault((row["kernel"], row["threads"]), {})[row["x"]] = speed / max(peak)
    kernels = list(dict.fromkeys(kernel for kernel, _ in groups))
    ends = []
    for (kernel, threads), points in groups.items():
        colour, marker = _COLOURS[kernels.index(kernel) % len(_COLOURS)]
        x, y = list(points), list(points.values())
        axes.plot(x, y, color=colour, ls="-" if threads == 1 else "--", marker=marker, ms=3)
        ends.append((x[-1], y[-1], _label(kernel, threads), colour))
    what = "float32 multiply-adds" if roof == "arithmetic" else "bytes read and written"
    axes.set(xscale="log", title=f"share of the measured peak: {what}", ylabel="share; peak = 1")
    _ticks(axes, sorted({x for points in groups.values() for x in points}), _X_LABELS[roof])
    if roof == "memory":
        axes.set_yscale("log")  # in the caches a kernel is many times faster than the memory
        _plain_heights(axes, (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10))
    return ends


def _label(name: str, threads: int) -> str:
    return f"{name}, {threads} thread{'s' * (threads > 1)}"


def _ticks(axes: Axes, places: list[float], label: str) -> None:
    """Ticks at measured sizes where these are an N; powers of ten else."""
    axes.set_xlabel(label)
    axes.xaxis.set_minor_formatter(NullFormatter())
    if label == "N":
        axes.set_xticks(places[::-1][:: 1 if len(places) < 6 else 2])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())


def _plain_heights(axes: Axes, ticks: tuple[float, ...]) -> None:
    low, high = axes.get_ylim()
    axes.set_yticks([tick for tick in ticks if low <= tick <= high])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def _caption(record: dict[str, Any]) -> str:
    machine = record["machine"]
    versions = ", ".join(
        f"{name} {version}"
        for name, version in machine["versions"].items()
        if name not in ("llvmlite", "numba")
    )
    peaks = "; ".join(
        f"{threads} thread{'s' * (threads != '1')} "
        f"{max(read['arithmetic'], default=0):.0f} GFLOP/s, {max(read['memory']):.0f} GB/s"
        for threads, read in record["peaks"].items()
    )
    return (
        f"The peer is 1.0; above it the kernel is faster. Median of {record['rounds']} rounds in "
        f"turns; band: middle half; logarithmic axes.\n{machine['cpu']}, "
        f"{machine['cores']} cores, {versions}. Measured peaks: {peaks}."
    )
