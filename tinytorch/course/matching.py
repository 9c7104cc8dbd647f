"""Tells which cell of a submission is which cell of the release, and which are the student's own.

Nothing is changed here: clean.py writes the clean copy from what was found.
"""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from nbformat import NotebookNode

from tinytorch.course.lesson import HIDDEN, regions
from tinytorch.course.reference import ReleasedCell

MAX_SOURCE = 200_000  # characters of one cell
_FLAGS = ("grade", "solution", "locked", "task")
# What gives a name a value at the top level, even in a cell that does not parse.
_DEFINITION = re.compile(
    r"^(?:(?:async +)?def +(\w++)|class +(\w++)|(\w++) *+(?::[^=\n]*+)?=(?!=))", re.MULTILINE
)

# A grade_id; or for cells that nbgrader does not know, their place in the source.
Key = str | int


class Matching:
    """Tells which cell of a submission is which of the release, and who has none.

    present: keys of the release and their places in the submission. known: the other way round.
    source: the instructor's cells by key, None for one that the source no longer has. dropped:
    further copies of locked cells. changes: what was found wrong, in words.
    """

    def __init__(
        self,
        cells: list[NotebookNode],
        source: list[NotebookNode],
        released: dict[str, ReleasedCell],
    ) -> None:
        self.cells, self.released = cells, dict[Key, ReleasedCell](released)
        self.source: dict[Key, NotebookNode | None] = {}
        for place, cell in enumerate(source):
            name = _grade_id(cell)
            self.source[name if name is not None and name in released else place] = cell
        for name in released:
            self.source.setdefault(name, None)
        self.present: dict[Key, int] = {}
        self.known: dict[int, Key] = {}
        self.dropped: set[int] = set()
        self.changes: list[str] = []

    def _take(self, place: int, key: Key) -> None:
        self.present[key], self.known[place] = place, key

    def believe_names(self) -> None:
        """Believe the names that cells have, the first time."""
        for place, cell in enumerate(self.cells):
            name = _grade_id(cell)
            if name is None:
                continue
            if name not in self.released:
                shown = name[:64]
                self.changes.append(f"cell {shown!r} is not of this assignment, it is not graded")
            elif name in self.present:
                self.changes.append(f"cell {name!r} is there more than once, the first one counts")
                if self.released[name].locked:
                    self.dropped.add(place)
            else:
                self._take(place, name)
                self._note_changes(cell, self.released[name])

    def _note_changes(self, cell: NotebookNode, released: ReleasedCell) -> None:
        found, wanted = cell.metadata["nbgrader"], released.nbgrader_metadata()
        marks = [flag for flag in _FLAGS if bool(found.get(flag)) != wanted[flag]]
        if found.get("points") != wanted.get("points"):
            marks.append("points")
        if cell.cell_type != released.cell_type:
            marks.insert(0, "cell type")
        name = released.name
        if marks:
            self.changes.append(f"cell {name!r} had another {', '.join(marks)}, it was put right")
        if released.locked and _packed(text_of(cell)) != _packed(handed_out(released)):
            self.changes.append(f"locked cell {name!r} was edited, it was put right")

    def find_nameless(self) -> None:
        """Find missing cells of nbgrader's among the others, by the surest sign first."""
        free = [place for place in range(len(self.cells)) if self.is_own(place)]
        ids = _index(free, lambda place: [self.cells[place].get("id")])
        copies = _index(free, lambda place: [_copy_of(self.cells[place])])
        definitions = _index(free, lambda place: _defined(self.cells[place]))
        missing = [key for key in self.source if key in self.released and key not in self.present]
        for name in missing:
            self._take_nameless(name, ids.get(name, []))
        for name in missing:
            if self.released[name].locked:
                text = (self.released[name].cell_type, _packed(handed_out(self.released[name])))
                self._take_nameless(name, copies.get(text, []))
        for name in missing:
            if self.released[name].solution and self.released[name].cell_type == "code":
                self._take_nameless(name, definitions.get(name, []))

    def _take_nameless(self, name: Key, places: list[int]) -> None:
        place = next((place for place in places if self.is_own(place)), None)
        if name not in self.present and place is not None:
            self._take(place, name)
            self.changes.append(f"cell {name!r} had lost its name, it was found")

    def is_own(self, place: int) -> bool:
        """Whether a cell of the submission belongs to none of the release."""
        return place not in self.known and place not in self.dropped

    def find_unnamed(self) -> None:
        """Find the cells that nbgrader does not know: by id, by text, by their neighbours."""
        free = [place for place in range(len(self.cells)) if self.is_own(place)]
        ids = _index(free, lambda place: [self.cells[place].get("id")])
        copies = _index(free, lambda place: [_copy_of(self.cells[place])])
        for key, cell in self._missing():
            for place in ids.get(cell.get("id"), []):
                if self.is_own(place) and self.cells[place].cell_type == cell.cell_type:
                    self._take(place, key)
                    break
        for key, cell in self._missing():
            for place in copies.get(_copy_of(cell), []):
                if self.is_own(place):
                    self._take(place, key)
                    break
        self._pair_between_neighbours()

    def _missing(self) -> list[tuple[Key, NotebookNode]]:
        """The cells of the source that nbgrader does not know and that were not found yet."""
        return [
            (key, cell)
            for key, cell in self.source.items()
            if cell is not None and key not in self.released and key not in self.present
        ]

    def _pair_between_neighbours(self) -> None:
        """Ids are lost and the text is edited: take what stands alone between two known cells."""
        keys = list(self.source)
        stops = [-1, *(i for i, key in enumerate(keys) if key in self.present), len(keys)]
        for before, after in pairwise(stops):
            start = -1 if before < 0 else self.present[keys[before]]
            end = len(self.cells) if after == len(keys) else self.present[keys[after]]
            theirs = range(start + 1, end)
            ours = [key for key in keys[before + 1 : after] if key not in self.released]
            kinds = [cell.cell_type for key in ours if (cell := self.source[key]) is not None]
            if all(map(self.is_own, theirs)) and kinds == [
                self.cells[place].cell_type for place in theirs
            ]:
                for place, key in zip(theirs, ours, strict=True):
                    self._take(place, key)


def handed_out(released: ReleasedCell) -> str:
    """Return a locked cell's text as students got it: without the hidden tests."""
    try:
        return regions(released.source, HIDDEN)[1]
    except ValueError:  # not built by lesson.py, which refuses such markers
        return released.source


def text_of(cell: NotebookNode) -> str:
    """Return a cell's source, whatever stands in its place."""
    return cell.source if isinstance(cell.source, str) else ""


def _grade_id(cell: NotebookNode) -> str | None:
    found = cell.metadata.get("nbgrader")
    name = found.get("grade_id") if isinstance(found, dict) else None
    return name if isinstance(name, str) and name else None


def _packed(text: str) -> str:
    return " ".join(text.split())


def _copy_of(cell: NotebookNode) -> tuple[str, str] | None:
    text = text_of(cell)
    packed = _packed(text) if len(text) <= MAX_SOURCE else ""
    return (cell.cell_type, packed) if packed else None


def _defined(cell: NotebookNode) -> list[str]:
    text = text_of(cell)
    if cell.cell_type != "code" or len(text) > MAX_SOURCE:
        return []
    return list({name for found in _DEFINITION.findall(text) for name in found if name})


def _index(places: list[int], signs: Callable[[int], Iterable[Any]]) -> dict[Any, list[int]]:
    """The places by each sign that they bear, in order."""
    found: dict[Any, list[int]] = {}
    for place in places:
        for sign in signs(place):
            if sign:
                found.setdefault(sign, []).append(place)
    return found
