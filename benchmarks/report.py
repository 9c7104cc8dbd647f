"""What the readings say: medians, verdicts, fitted costs; as text and as Markdown.

Everything is computed from a results file's record; nothing is measured here.
"""

import math
import statistics
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

SCHEMA = 1
COLUMNS = ("kernel", "size", "threads", "against", "reached", "middle half", "asked", "wanted", "")
_WIDTHS = (40, 18, 8, 19, 9, 16, 9, 9, 0)
_SIGNS = {"ratio": ">= {:g}", "within": "1 +- {:g}", "us over": "<= {:g} us", "s over": "<= {:g} s"}
_SHOWN = {"ratio": "{:.2f}", "within": "{:.3f}", "us over": "{:.2f} us", "s over": "{:.3f} s"}
# Below these a call's fixed cost is what one sees: 2 x 128^3 operations, 10^5 elements of ReLU.
_FIT_FROM = {"arithmetic": 2 * 128**3, "memory": 8 * 10**5}
_FIT_NAMES = {"arithmetic": "(m k n)", "memory": "n"}


class Judged(NamedTuple):
    """Median and quartiles of what a row reached, and a word: wanted, held, short or nothing."""

    reached: float
    low: float
    high: float
    word: str


def values(row: dict[str, Any]) -> list[float]:
    """One figure per round: the peer's time by ours, or ours minus the peer's."""
    pairs = list(zip(row["ours"], row["peer"], strict=True))
    if row["kind"] in ("ratio", "within"):
        return [peer / ours for ours, peer in pairs]
    unit = 1e6 if row["kind"] == "us over" else 1
    return [(ours - peer) * unit for ours, peer in pairs]


def judge(row: dict[str, Any]) -> Judged | None:
    """None where there was no race."""
    figures = values(row)
    if len(figures) < 2:
        return None
    low, reached, high = statistics.quantiles(figures, n=4)
    # Goals are compared with what is printed: a median of 0.998 is 1.00.
    printed = float(_SHOWN[row["kind"]].format(reached).split()[0])
    words = [w for w, goal in (("held", row["asked"]), ("wanted", row["wanted"]))
             if goal is not None and _meets(row["kind"], printed, goal)]  # fmt: skip
    return Judged(reached, low, high, words[-1] if words else "short" if row["asked"] else "")


def _meets(kind: str, reached: float, goal: float) -> bool:
    if kind == "within":
        return abs(reached - 1) <= goal + 1e-9
    return reached >= goal if kind == "ratio" else reached <= goal


def cells(row: dict[str, Any]) -> list[str]:
    """The row as it is printed."""
    form, judged = _SHOWN[row["kind"]], judge(row)
    goals = [_SIGNS[row["kind"]].format(g) if g is not None else ""
             for g in (row["asked"], row["wanted"])]  # fmt: skip
    start = [name_of(row), row["size"], str(row["threads"]), row["against"]]
    if judged is None:
        return [*start, "-", "", *goals, row.get("failed") or row["note"]]
    low, high = (form.format(v).split()[0] for v in (judged.low, judged.high))
    word = ", ".join(filter(None, (judged.word, row["note"])))
    return [*start, form.format(judged.reached), f"{low} .. {high}", *goals, word]


def line(texts: list[str] | tuple[str, ...]) -> str:
    """Cells in columns."""
    return " ".join(f"{text:<{width}}" for text, width in zip(texts, _WIDTHS, strict=True)).rstrip()


def name_of(entry: dict[str, Any]) -> str:
    """Kernel and variant, of a row or a workspace."""
    return ", ".join(filter(None, (entry["kernel"], entry["variant"])))


def failures(record: dict[str, Any]) -> list[str]:
    """Rows and workspaces that could not be measured, or were refused as wrong."""
    entries = [e for e in (*record["rows"], *record["memory"]) if e.get("failed")]
    return list(dict.fromkeys(f"{name_of(e)}, {e['size']}: {e['failed']}" for e in entries))


def fits(record: dict[str, Any]) -> Iterator[str]:
    """time ~ work^p per kernel and number of threads, with what the fit leaves over."""
    groups: dict[tuple[str, int, str], dict[float, float]] = {}
    for row in record["rows"]:
        if row["roof"] and row["ours"] and row["work"] >= _FIT_FROM[row["roof"]]:
            key = (name_of(row), row["threads"], row["roof"])
            groups.setdefault(key, {})[row["work"]] = statistics.median(row["ours"])
    for (name, threads, roof), points in groups.items():
        if len(points) < 3:
            continue
        power, rest = fitted_power(points)
        yield (
            f"{name}, {_threads(threads)}: time ~ {_FIT_NAMES[roof]}^{power:.2f}, "
            f"within {100 * rest:.0f} % at {len(points)} sizes"
        )


def fitted_power(points: dict[float, float]) -> tuple[float, float]:
    """(p, r): time = c work^p by least squares of logarithms; no point is off by more than r."""
    work, seconds = (np.log(list(side)) for side in (points.keys(), points.values()))
    power, constant = np.polyfit(work, seconds, 1)
    off = np.abs(seconds - power * work - constant).max()
    return float(power), math.expm1(off)


def memory_lines(record: dict[str, Any]) -> Iterator[str]:
    """Workspace beside its bound, per kernel and size."""
    for entry in record["memory"]:
        if entry.get("failed"):
            continue
        word = "held" if entry["workspace"] <= entry["bound"] else "short"
        yield (
            f"{name_of(entry):<42} {entry['size']:<20} {_mib(entry['workspace']):>10} "
            f"<= {_mib(entry['bound'])} {word}"
        )


def machine_lines(record: dict[str, Any]) -> list[str]:
    """The machine and its measured peaks."""
    machine = record["machine"]
    kept = ", ".join(f"{name} {size / 2**20:.3g} MiB" for name, size in machine["caches"].items())
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    lines = [
        f"{machine['cpu'] or machine['architecture']}, {machine['cores']} cores, {kept}",
        f"Python {machine['python']}, {versions}; {machine['blas']}",
    ]
    for threads, peaks in record["peaks"].items():
        parts = [
            f"{name} {max(read):.0f} {unit} (median {statistics.median(read):.0f})"
            for name, unit in (("arithmetic", "GFLOP/s"), ("memory", "GB/s"))
            if (read := peaks[name])
        ]
        lines.append(f"measured peaks, {_threads(int(threads))}: {'; '.join(parts)}")
    for threads, share in record["others"].items():
        word = ": busy, so read these figures with care" if share > 0.1 else ""
        lines.append(f"others used {share:.2f} cores in the race of {_threads(int(threads))}{word}")
    return lines


def markdown(record: dict[str, Any]) -> str:
    """The section of benchmarks/README.md that holds a run."""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *map(cells, record["rows"])]
    table = ["| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in rows]
    facts = [*machine_lines(record), f"{record['rounds']} rounds, {record['seconds']:.0f} seconds"]
    return "\n".join(
        [
            *[f"- {fact}" for fact in facts],
            "",
            *table,
            "",
            "Cost by size:",
            "",
            *[f"- {fit}" for fit in fits(record)],
            "",
            "Workspace beyond the output (tracemalloc, a run of its own):",
            "",
            "```",
            *memory_lines(record),
            "```",
        ]
    )


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count > 1)}"


def _mib(size: int) -> str:
    return f"{size / 2**20:.2f} MiB"
