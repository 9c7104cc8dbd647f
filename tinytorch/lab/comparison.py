"""`compare`: several calls timed in turns, as a table, as HTML, and as bars with their spread.

Nothing is decided from a time, here or anywhere else. Timing is measure's, the bars are plots'.
"""

import html
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tinytorch.lab.measure import machine_line, race, spread
from tinytorch.lab.plots import bars
from tinytorch.lab.wording import bytes_text, seconds_text, times_text

_NOTHING = "-"


class Row(NamedTuple):
    """One line of the table. Seconds; bytes; ratio: the first one's median divided by this one's.

    What is not known is None: the ratio where the clock did not move, the memory where there is
    no profiler.
    """

    name: str
    median: float
    iqr: float
    minimum: float
    ratio: float | None
    peak_memory: int | None


class Comparison:
    """What `compare` found: a table where it is printed, HTML where a notebook shows it.

    times: name -> seconds per call, one entry per round. missing: name -> why it was not timed.
    memory: name -> peak bytes. notes: sentences under the table.
    """

    def __init__(
        self,
        times: Mapping[str, list[float]],
        *,
        missing: Mapping[str, str] | None = None,
        memory: Mapping[str, int] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.times = dict(times)
        self.missing, self.memory = dict(missing or {}), dict(memory or {})
        self.notes = notes

    @property
    def rows(self) -> list[Row]:
        """One row for each call that was timed, in the order in which they were given."""
        found: list[Row] = []
        for name, seconds in self.times.items():
            each = spread(seconds)
            yardstick = found[0].median if found else each.median
            ratio = yardstick / each.median if each.median > 0 else None
            row = Row(name, each.median, each.iqr, each.minimum, ratio, self.memory.get(name))
            found.append(row)
        return found

    def draw(
        self, title: str = "Time per call", *, guess: Any = None, about: str | None = None
    ) -> None:
        """A bar for each call, with its middle half of readings as a line.

        guess: how many times faster than the first another one was thought to be. about: the name
        of that one, by default the second. With nothing timed, a sentence stands for the picture.
        """
        if not self.times:
            print("Nothing was timed, so there is nothing to draw.")
            return
        drawn = {name: [max(s, 1e-9) for s in each] for name, each in self.times.items()}
        bars(drawn, title, guess=guess, about=about if about in drawn else None)

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Heads and lines of the table, as text."""
        heads = ["", "median", "interquartile range", "minimum", "times as fast"]
        heads += ["peak memory"] * bool(self.memory)
        lines = []
        for row in self.rows:
            ratio = _NOTHING if row.ratio is None else times_text(row.ratio)
            line = [row.name, *map(seconds_text, (row.median, row.iqr, row.minimum)), ratio]
            memory = _NOTHING if row.peak_memory is None else bytes_text(_three(row.peak_memory))
            lines.append(line + [memory] * bool(self.memory))
        return heads, lines

    def _remarks(self) -> list[str]:
        first = next(iter(self.times), None)
        how = [] if first is None else [f"Times as fast: as {first}, by the medians."]
        return [*how, *self.notes, f"({machine_line()})"]

    def __str__(self) -> str:
        heads, lines = self._cells()
        names = [*self.times, *self.missing]
        wide = max([len(name) for name in names], default=0)
        widths = [wide, *(max(len(head), 9) for head in heads[1:])]
        text = [
            "  ".join(
                cell.rjust(width) if place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in [heads, *lines]
        ]
        text += [f"{name.ljust(wide)}  {why}" for name, why in self.missing.items()]
        return "\n".join([*text, *self._remarks()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table for a notebook: no script, no style sheet, every text escaped."""
        heads, lines = self._cells()
        right = ' style="text-align:right"'
        body = [_html_row("th", heads, right)]
        body += [_html_row("td", line, right) for line in lines]
        body += [
            f'<tr><td style="text-align:left">{html.escape(name)}</td>'
            f'<td colspan="{len(heads) - 1}" style="text-align:left">{html.escape(why)}</td></tr>'
            for name, why in self.missing.items()
        ]
        remarks = "<br>".join(html.escape(remark) for remark in self._remarks())
        return f"<table>{''.join(body)}</table><p><small>{remarks}</small></p>"


def compare(
    calls: Mapping[str, Callable[[], Any]], *, rounds: int = 15, profiler: Any = None
) -> Comparison:
    """Time several calls in turns, so that a disturbance of the machine meets all of them.

    calls: name -> function without arguments; the first that works is the yardstick. One that
    raises NotImplementedError is listed with its message; any other exception goes to the caller.
    rounds: readings per call. profiler: a `SimpleProfiler`, the reader's own; its `peak_memory`
    (bytes) fills a column. Where it cannot, a sentence says so.
    """
    missing: dict[str, str] = {}
    for name, call in calls.items():
        try:
            call()
        except NotImplementedError as not_written:
            missing[name] = str(not_written) or "not written yet"
    ready = {name: call for name, call in calls.items() if name not in missing}
    times = race(ready, rounds=rounds)
    memory, notes = _peaks(ready, profiler)
    return Comparison(times, missing=missing, memory=memory, notes=notes)


def _peaks(
    calls: Mapping[str, Callable[[], Any]], profiler: Any
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Peak bytes by name, and what went wrong: a profiler is a reader's work in progress."""
    peaks: dict[str, int] = {}
    if profiler is None:
        return peaks, ()
    for name, call in calls.items():
        try:
            peaks[name] = int(profiler.profile(call)[1]["peak_memory"])
        except Exception as error:
            said = f"{type(error).__name__}: {error}".removesuffix(": ")
            return {}, (f"No peak memory: the profiler raised {said}.",)
    return peaks, ()


def _three(value: int) -> float:
    """Three digits of it, once it is in KiB or more: what a table has room for."""
    for size in (2**30, 2**20, 2**10):
        if value >= size:
            return float(f"{value / size:.3g}") * size
    return value


def _html_row(tag: str, cells: list[str], right: str) -> str:
    first, *rest = (html.escape(cell) for cell in cells)
    others = "".join(f"<{tag}{right}>{cell}</{tag}>" for cell in rest)
    return f'<tr><{tag} style="text-align:left">{first}</{tag}>{others}</tr>'
