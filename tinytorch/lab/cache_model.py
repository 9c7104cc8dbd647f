"""A small cache, simulated: which accesses of a trace hit, which miss, and why.

Set-associative, least recently used, reads and writes alike (a written line is fetched first).
It counts and draws nothing; deterministic, so a laptop under load and a server say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinytorch.core.tensor import positive_int
from tinytorch.lab.trace import Trace


class Counts(NamedTuple):
    """Accesses by what became of them. compulsory: the misses that are a line's first access."""

    hits: int
    misses: int
    compulsory: int


@dataclass(frozen=True, eq=False)
class CacheReport:
    """What a cache made of a trace.

    by_array: name -> `Counts`. missed (n,): whether each access missed. too_large: how many
    products touch more lines than the cache holds. A trace has each operand of a product once;
    of one that does not fit, the real misses are more than those counted here.
    """

    by_array: dict[str, Counts]
    missed: np.ndarray
    too_large: int

    @property
    def hits(self) -> int:
        """Accesses that found their line in the cache."""
        return sum(counts.hits for counts in self.by_array.values())

    @property
    def misses(self) -> int:
        """Accesses that had to fetch their line."""
        return sum(counts.misses for counts in self.by_array.values())

    @property
    def compulsory(self) -> int:
        """Lines touched at all: no cache of this line length misses less."""
        return sum(counts.compulsory for counts in self.by_array.values())


class CacheModel:
    """A cache of `lines` lines, in sets of `ways`; each array starts at a line.

    line_elements: elements in a line, of whatever dtype (8 are 64 bytes of float64).
    ways: places that a line may take; by default all of them (fully associative, one set). Line
    number L of memory belongs to set L % (lines // ways). The arrays follow each other in memory
    in the order of the trace.

    Raises ValueError for numbers below 1, or lines that are no multiple of ways.

    Of 32 by 32 matrices and the default cache, i-j-k misses 33,024 times, i-k-j 4,352 times,
    tiles of 8 by 8 (their inner dimension in the innermost of the three tile loops) 1,152 times;
    384 lines are touched at all. That is with `C[i, j] += A[i, p] * B[p, j]` in the innermost
    loop, C read and written. With the sum kept in a variable, and C written once, i-j-k misses
    33,920 times: B's column has then pushed out C's line before its next element is written.
    """

    def __init__(self, lines: int = 32, line_elements: int = 8, ways: int | None = None) -> None:
        self.lines = positive_int("lines", lines)
        self.line_elements = positive_int("line_elements", line_elements)
        self.ways = self.lines if ways is None else positive_int("ways", ways)
        if self.lines % self.ways:
            raise ValueError(f"lines must be a multiple of ways, got {lines} lines, {ways} ways")
        self.sets = self.lines // self.ways

    def __str__(self) -> str:
        if self.sets == 1:
            kind = "fully associative"
        else:
            kind = f"{self.ways} ways" if self.ways > 1 else "direct-mapped"
        return f"{self.lines} lines of {self.line_elements} elements, {kind}, least recently used"

    def run(self, trace: Trace) -> CacheReport:
        """Send every access of the trace through a cache that starts empty."""
        lines = self.line_numbers(trace)
        missed = np.fromiter((miss for miss, _ in self._walk(lines)), bool, len(lines))
        first = np.zeros(len(lines), bool)
        first[np.unique(lines, return_index=True)[1]] = True
        by_array = {}
        for number, name in enumerate(trace.arrays):
            mine = trace.ids == number
            misses = int(np.count_nonzero(missed & mine))
            hits = int(np.count_nonzero(mine)) - misses
            by_array[name] = Counts(hits, misses, int(np.count_nonzero(first & mine)))
        products = [lines[s.start : s.stop] for s in trace.steps if s.kind == "product"]
        too_large = sum(np.unique(touched).size > self.lines for touched in products)
        return CacheReport(by_array, missed, too_large)

    def held(self, trace: Trace, moments: Sequence[int]) -> list[np.ndarray]:
        """The line numbers in the cache after so many accesses, for each of the moments."""
        lines, wanted = self.line_numbers(trace), set(moments)
        found: dict[int, np.ndarray] = {0: np.empty(0, np.int64)}
        for done, (_, sets) in enumerate(self._walk(lines), start=1):
            if done in wanted:
                found[done] = np.array([line for ways in sets for line in ways], np.int64)
        return [found[moment] for moment in moments]

    def line_numbers(self, trace: Trace) -> np.ndarray:
        """The line of each access, the arrays being laid out one after the other."""
        starts = self.first_lines(trace)
        return np.array(list(starts.values()), np.int64)[trace.ids] + (
            trace.elements // self.line_elements
        )

    def first_lines(self, trace: Trace) -> dict[str, int]:
        """Name -> the number of the array's first line."""
        starts, free = {}, 0
        for name, layout in trace.arrays.items():
            starts[name] = free
            free += -(-layout.size // self.line_elements)
        return starts

    def _walk(self, lines: np.ndarray) -> Iterator[tuple[bool, list[dict[int, None]]]]:
        """Whether each access misses, with the cache after it."""
        # A dict keeps its order: the line that was used least recently comes first.
        sets: list[dict[int, None]] = [{} for _ in range(self.sets)]
        for line in lines.tolist():
            ways = sets[line % self.sets]
            missed = line not in ways
            if not missed:
                del ways[line]
            elif len(ways) == self.ways:
                del ways[next(iter(ways))]
            ways[line] = None
            yield missed, sets
