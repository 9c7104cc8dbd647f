"""The clean copy of a submission: the released notebook with the student's own words in it.

Nothing of the submission's order, metadata or locked text gets through, so that nothing of it can
decide what is run or scored. What the release is comes from reference.py; what becomes of a
submission without any answer is decided by preprocessors.py.
"""

from copy import deepcopy
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_notebook

from tinytorch.course.isolation import UNGRADED
from tinytorch.course.matching import MAX_SOURCE, Matching, text_of
from tinytorch.course.project import CourseError
from tinytorch.course.reference import ReleasedCell

# Unlike the released words: nbgrader scores those 0 at once, and nobody would look for the answer.
MISSING_ANSWER = "(This cell was missing from the submission: see the notebook as handed in.)"
LONG_ANSWER = f"(This cell had more than {MAX_SOURCE:,} characters: see the notebook as handed in.)"


def clean_copy(
    submitted: NotebookNode, source: NotebookNode, released: dict[str, ReleasedCell]
) -> tuple[NotebookNode, list[str]]:
    """Return the notebook to run, without outputs, and what of the submission was put right.

    source: the instructor's notebook, for the order and for cells that nbgrader does not know.
    released: the gradebook's cells, hidden tests included. From the student come the text of the
    first cell of each answer, edits of unlocked cells that nbgrader does not know, and cells of
    their own (further copies of an answer among them), each behind the cell that it followed. An
    unlocked code cell that nbgrader does not know and the student deleted stays away.

    Raises CourseError if not one answer can be told from the other cells.
    """
    matching = Matching(submitted.cells, source.cells, released)
    matching.believe_names()
    matching.find_nameless()
    if not any(cell.solution and name in matching.present for name, cell in released.items()):
        raise CourseError(
            "The notebook has lost the names of its cells, or it is another notebook: none of its "
            "answers can be told. Ask for the notebook as it was handed out, with the answers in "
            "their cells."
        )
    matching.find_unnamed()
    return _Copy(matching, source).written(), matching.changes


class _Copy:
    """Writes the clean copy out of a finished matching."""

    def __init__(self, matching: Matching, source: NotebookNode) -> None:
        self.matching, self.source = matching, source
        self.changes = matching.changes
        ids = [cell.get("id") for cell in matching.source.values() if cell is not None]
        self.reserved = {*ids, *matching.released}
        self.used: set[str] = set()

    def written(self) -> NotebookNode:
        """Return the notebook: the instructor's cells in order, the student's own among them."""
        first, behind = self._own_cells()
        cells = list(first)
        places = []
        for key, cell in self.matching.source.items():
            place = self.matching.present.get(key)
            if isinstance(key, str):
                cells.append(self._released(key, cell, place))
            elif cell is not None and (place is not None or cell.cell_type != "code"):
                cells.append(self._unknown(cell, place))
            if place is not None:
                places.append(place)
                cells += behind.get(place, [])
        if places != sorted(places):
            self.changes.append("cells stood in another order, they were put back")
        kept = ("kernelspec", "language_info")
        metadata = {key: self.source.metadata[key] for key in kept if key in self.source.metadata}
        return new_notebook(cells=cells, metadata=deepcopy(metadata))

    def _own_cells(self) -> tuple[list[NotebookNode], dict[int, list[NotebookNode]]]:
        """The student's own cells: those before all others, and the rest by what they follow."""
        first: list[NotebookNode] = []
        behind: dict[int, list[NotebookNode]] = {}
        current = first
        number = 0
        for place, cell in enumerate(self.matching.cells):
            if place in self.matching.known:
                current = behind.setdefault(place, [])
            elif place not in self.matching.dropped and text_of(cell).strip():
                number += 1
                # A copied experiment stays one: of it only the definitions are run.
                metadata = {"tags": [UNGRADED]} if UNGRADED in _tags(cell) else {}
                text = self._bounded(cell, "a cell of the student's own", cell.cell_type)
                current.append(self._new(cell.cell_type, text, metadata, f"own-{number}", cell))
        return first, behind

    def _released(self, name: str, cell: NotebookNode | None, place: int | None) -> NotebookNode:
        released = self.matching.released[name]
        metadata = deepcopy(dict(cell.metadata)) if cell is not None else {}
        metadata["nbgrader"] = released.nbgrader_metadata()
        theirs = None if place is None else self.matching.cells[place]
        if theirs is None:
            self.changes.append(f"cell {name!r} was missing, it was put back")
        if released.locked or not (released.solution or released.task):
            text = released.source
        elif theirs is None:
            text = _comment(MISSING_ANSWER, released.cell_type)
        else:
            text = self._bounded(theirs, f"the answer {name!r}", released.cell_type)
        pictures = theirs if released.solution and not released.locked else None
        return self._new(released.cell_type, text, metadata, name, pictures)

    def _unknown(self, cell: NotebookNode, place: int | None) -> NotebookNode:
        """A cell of the source: with the student's text, and the instructor's tags."""
        metadata = {k: v for k, v in deepcopy(dict(cell.metadata)).items() if k != "nbgrader"}
        theirs = None if place is None else self.matching.cells[place]
        text = cell.source
        if theirs is not None:
            text = self._bounded(theirs, f"cell {cell.get('id')!r}", cell.cell_type)
        return self._new(cell.cell_type, text, metadata, cell.get("id") or "cell", theirs)

    def _bounded(self, cell: NotebookNode, what: str, kind: str) -> str:
        text = text_of(cell)
        if len(text) <= MAX_SOURCE:
            return text
        self.changes.append(
            f"{what} has {len(text):,} characters, at most {MAX_SOURCE:,} are taken: left out"
        )
        return _comment(LONG_ANSWER, kind)

    def _new(
        self, kind: str, text: str, metadata: Any, name: str, theirs: NotebookNode | None
    ) -> NotebookNode:
        """Make a cell with an id of its own: the name, or the name with a number."""
        wanted, number = name, 1
        while name in self.used or (name in self.reserved and name != wanted):
            number += 1
            name = f"{wanted[:50]}-{number}"
        self.used.add(name)
        cell = {"id": name, "cell_type": kind, "metadata": metadata, "source": text}
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        elif kind == "markdown" and theirs is not None and theirs.get("attachments"):
            cell["attachments"] = deepcopy(theirs.attachments)
        return from_dict(cell)


def _tags(cell: NotebookNode) -> list[Any]:
    tags = cell.metadata.get("tags")
    return tags if isinstance(tags, list) else []


def _comment(text: str, kind: str) -> str:
    return f"# {text}" if kind == "code" else text
