"""Puts a submission's cells in order before it runs: names that were lost, tests that are gone.

Works on the notebook alone. What the cells should be comes from reference.py; what becomes of a
submission that cannot be mended is decided by preprocessors.py.
"""

import re

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader import utils

from tinytorch.course.project import CourseError
from tinytorch.course.reference import ReleasedCell
from tinytorch.course.report import answer_of

# Unlike the released words: nbgrader scores those 0 at once, and nobody would look for the answer.
MISSING_ANSWER = "(This cell was missing from the submission: see the notebook as handed in.)"


def mend(nb: NotebookNode, released: dict[str, ReleasedCell], order: list[str]) -> list[str]:
    """Give the cells of a submission their released metadata back, and missing tests a place.

    A copied cell would end nbgrader's whole batch, a test cell that is gone or no longer marked
    would leave the student without a grade. `order` names the lesson's cells. Returns what was
    changed, in words. Raises CourseError if not one answer can be told from the other cells.
    """
    mending = _Mending(nb, released, order)
    mending.keep_names()
    mending.find_nameless()
    if not any(released[name].solution for name in mending.present):
        raise CourseError(
            "The notebook has lost the names of its cells, or it is another notebook: none of its "
            "answers can be told. Ask for the notebook as it was handed out, with the answers in "
            "their cells."
        )
    for name, cell in mending.present.items():
        if released[name].locked:
            cell.source = released[name].source
    mending.put_back()
    return mending.changes


class _Mending:
    """One submission: `present` holds the cells that are known by now, `changes` the log."""

    def __init__(
        self, nb: NotebookNode, released: dict[str, ReleasedCell], order: list[str]
    ) -> None:
        self.nb, self.released = nb, released
        self.order = [name for name in order if name in released]
        self.present: dict[str, NotebookNode] = {}
        self.changes: list[str] = []

    def _take(self, cell: NotebookNode, name: str) -> None:
        cell.metadata["nbgrader"] = NotebookNode(self.released[name].nbgrader_metadata())
        self.present[name] = cell

    def keep_names(self) -> None:
        """Believe the names that cells have; of copies the last one counts, as nbgrader has it."""
        for cell in reversed(self.nb.cells):
            found = cell.metadata.pop("nbgrader", None)
            if not found:
                continue
            name = found.get("grade_id") if isinstance(found, dict) else None
            if name not in self.released:
                self.changes.append(f"cell {name!r} is not of this assignment, it is not graded")
            elif name in self.present:
                self.changes.append(f"cell {name!r} is there more than once, the last one counts")
            else:
                self._take(cell, name)
                # Compared by the checksum that the student got: hidden tests are not in it.
                checksum = utils.compute_checksum(cell)
                if self.released[name].locked and checksum != found.get("checksum"):
                    self.changes.append(f"locked cell {name!r} was edited, it was put right")

    def find_nameless(self) -> None:
        """Find missing cells among those without a name, by the surest sign first."""
        for fits in (_has_id, _is_copy, _is_answer):
            for name in self.order:
                if name in self.present:
                    continue
                for cell in self.nb.cells:
                    if "nbgrader" not in cell.metadata and fits(cell, self.released[name]):
                        self._take(cell, name)
                        self.changes.append(f"cell {name!r} had lost its name, it was found")
                        break

    def put_back(self) -> None:
        """Insert the missing cells in the released order, all but answers in code."""
        last = 0  # the place behind what was inserted last; setup comes earlier than all that
        for name in sorted(self.order, key=lambda name: not _is_setup(self.released[name])):
            cell = self.released[name]
            if name in self.present or not (cell.locked or cell.points is not None):
                continue
            place = max(last, self._place(cell))
            self.present[name] = _new_cell(cell)
            self.nb.cells.insert(place, self.present[name])
            self.changes.append(f"cell {name!r} was missing, it was put back")
            if not _is_setup(cell):
                last = place + 1

    def _place(self, missing: ReleasedCell) -> int:
        """Return where a cell may run: setup before all answers, a test behind its own."""
        behind = {id(cell): index + 1 for index, cell in enumerate(self.nb.cells)}
        earlier = [
            (behind[id(self.present[name])], self.released[name])
            for name in self.order[: self.order.index(missing.name)]
            if name in self.present
        ]
        if _is_setup(missing):
            answers = [behind[id(c)] for n, c in self.present.items() if self.released[n].solution]
            known = [place for place, cell in earlier if _is_setup(cell) and place < min(answers)]
            return max(known, default=0)
        nearest = earlier[-1][0] if earlier else 0
        if not _is_test(missing):
            return nearest
        solutions = [name for name, cell in self.released.items() if cell.solution]
        answer = answer_of(missing.name, solutions)
        definitions = [
            behind[id(cell)]
            for cell in self.nb.cells
            if cell is self.present.get(answer) or _defines(cell, answer)
        ]
        return max(nearest, *definitions) if definitions else len(self.nb.cells)


def _has_id(cell: NotebookNode, released: ReleasedCell) -> bool:
    """A release uses the names of its cells for their ids as well."""
    return cell.get("id") == released.name


def _is_copy(cell: NotebookNode, released: ReleasedCell) -> bool:
    return released.locked and bool(cell.source.strip()) and cell.source == released.source


def _is_answer(cell: NotebookNode, released: ReleasedCell) -> bool:
    return released.solution and released.cell_type == "code" and _defines(cell, released.name)


def _defines(cell: NotebookNode, name: str) -> bool:
    """Say whether a code cell gives `name` a value at its top level, even if it does not parse."""
    name = re.escape(name)
    pattern = rf"^(?:(?:async +)?def +{name}\b|class +{name}\b|{name} *(?::[^=\n]*)?=(?!=))"
    return cell.cell_type == "code" and re.search(pattern, cell.source, re.MULTILINE) is not None


def _is_setup(cell: ReleasedCell) -> bool:
    return cell.cell_type == "code" and cell.locked and cell.points is None


def _is_test(cell: ReleasedCell) -> bool:
    return cell.cell_type == "code" and cell.points is not None and not cell.solution


def _new_cell(released: ReleasedCell) -> NotebookNode:
    metadata = {"nbgrader": released.nbgrader_metadata()}
    is_code = released.cell_type == "code"
    source = released.source
    if released.solution:
        source = f"# {MISSING_ANSWER}" if is_code else MISSING_ANSWER
    return (new_code_cell if is_code else new_markdown_cell)(source=source, metadata=metadata)
