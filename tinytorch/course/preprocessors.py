"""The course's own steps in nbgrader's release and grading, named in nbgrader_config.py.

IsolatedExecute lives in isolation.py and is only made available here.
"""

import re
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor

from tinytorch.course.isolation import IsolatedExecute, course_of, named_cells, read_source
from tinytorch.course.project import CourseError, Project
from tinytorch.course.reference import ReleasedCell, check_reference, released_cells

__all__ = ["IsolatedExecute", "NameStubs", "Preflight", "withdraw_ungraded"]

_STUB = re.compile(r"raise NotImplementedError\(\)")


class NameStubs(NbGraderPreprocessor):
    """Make every stub say which answer is missing; follows ClearSolutions in a release."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Name the answer in the stubs of one cell."""
        if cell.cell_type == "code" and utils.is_solution(cell):
            name = cell.metadata.nbgrader["grade_id"]
            stub = f'raise NotImplementedError("{name} is not written yet")'
            cell.source = _STUB.sub(stub, cell.source)
        return cell, resources


class Preflight(NbGraderPreprocessor):
    """Grade the reference before the first student, then mend what a student broke in the cells.

    The first of Autograde.sanitize_preprocessors. Where the reference loses points, grading ends
    with SystemExit: that leaves nbgrader's loop over the students, and the server behind
    formgrader turns it into a failure with this step's message.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Check the reference (once per process), then return the mended submission."""
        project = course_of(self)
        facts = resources["nbgrader"]
        try:
            check_reference(project, facts["assignment"], facts["db_url"], self.config)
            order = list(named_cells(read_source(project, facts["assignment"])))
        except CourseError as error:
            self.log.error("%s", error)
            withdraw_ungraded(project, facts["db_url"], facts["assignment"], facts["student"])
            raise SystemExit(1) from error
        released = released_cells(facts["db_url"], facts["assignment"], facts["notebook"])
        for change in mend(nb, released, order):
            self.log.warning("%s: %s", facts["student"], change)
        return nb, resources


def mend(nb: NotebookNode, released: dict[str, ReleasedCell], order: list[str]) -> list[str]:
    """Give the cells of a submission their released metadata back, and missing tests their place.

    A copied cell would end nbgrader's whole batch, a test cell that is gone or no longer marked
    would leave the student without a grade. Of copies the last one counts, as nbgrader has it.
    Returns what was changed, in words.
    """
    changes: list[str] = []
    present: dict[str, NotebookNode] = {}
    for cell in reversed(nb.cells):
        found = cell.metadata.pop("nbgrader", None)
        if not found:
            continue
        name = found.get("grade_id") if isinstance(found, dict) else None
        if name not in released:
            changes.append(f"cell {name!r} is not of this assignment, it is not graded")
        elif name in present:
            changes.append(f"cell {name!r} is there more than once, the last one counts")
        else:
            present[name] = cell
            cell.metadata["nbgrader"] = NotebookNode(released[name].nbgrader_metadata())
            if released[name].locked:
                # Compared by the checksum that the student got: hidden tests are not in it.
                if utils.compute_checksum(cell) != found.get("checksum"):
                    changes.append(f"locked cell {name!r} was edited, it was put right")
                cell.source = released[name].source
    position = 0
    for name in order:
        if name in present:
            position = next(i for i, cell in enumerate(nb.cells) if cell is present[name]) + 1
        elif name in released and (released[name].locked or released[name].points is not None):
            nb.cells.insert(position, _cell(released[name]))
            position += 1
            changes.append(f"cell {name!r} was missing, it was put back")
    return changes


def _cell(released: ReleasedCell) -> NotebookNode:
    make = new_code_cell if released.cell_type == "code" else new_markdown_cell
    return make(source=released.source, metadata={"nbgrader": released.nbgrader_metadata()})


def withdraw_ungraded(project: Project, db_url: str, assignment: str, student: str) -> None:
    """Remove what nbgrader left of a grading that failed, so that it counts as not done.

    nbgrader enters a submission before it looks at it; without a grade it would read as zero in
    every table. A submission that has been graded before keeps its grades.
    """
    folder = project.autograded / student / assignment
    if folder.exists():
        utils.rmtree(str(folder))
    with Gradebook(db_url) as gradebook:
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        if all(grade.auto_score is None and grade.manual_score is None for grade in grades):
            gradebook.remove_submission(assignment, student)
