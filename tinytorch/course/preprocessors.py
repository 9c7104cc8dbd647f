"""The course's own steps in nbgrader's release and grading, named in nbgrader_config.py.

IsolatedExecute and JudgedExecute live in files of their own and are only made available here; a
submission's clean copy is made in clean.py.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Grade, Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from tinytorch.course.clean import clean_copy
from tinytorch.course.isolation import (
    IsolatedExecute,
    course_of,
    is_test,
    is_ungraded,
    named_cells,
    read_source,
)
from tinytorch.course.judged_execute import JudgedExecute
from tinytorch.course.project import CourseError, Project
from tinytorch.course.reference import check_reference, released_cells

__all__ = [
    "IsolatedExecute",
    "JudgedExecute",
    "KeepReading",
    "NameStubs",
    "Preflight",
    "RunOn",
    "withdraw_ungraded",
]

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


class RunOn(NbGraderPreprocessor):
    """Let Run All go on after a test or an experiment that fails, as most do at first.

    JupyterLab stops at the first error but for cells with this tag. A stop is kept where an error
    leaves nothing to go on with: in what students write, and in the cells that set up.
    """

    TAG = "raises-exception"

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Tag one cell of a release."""
        if is_test(cell) or (cell.cell_type == "code" and is_ungraded(cell)):
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), self.TAG})
        return cell, resources


class Preflight(NbGraderPreprocessor):
    """Grade the reference before the first student, then put a clean copy in a submission's place.

    The first of Autograde.sanitize_preprocessors. Where the reference loses points, grading ends
    with SystemExit: that leaves nbgrader's loop over the students, and the server behind
    formgrader turns it into a failure with this step's message.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Check the reference (once per process), then return the clean copy of the submission."""
        project = course_of(self)
        facts = resources["nbgrader"]
        try:
            check_reference(project, facts["assignment"], facts["db_url"], self.config, judged=True)
            source = read_source(project, facts["assignment"])
        except CourseError as error:
            self.log.error("%s", error)
            withdraw_ungraded(project, facts["db_url"], facts["assignment"], facts["student"])
            raise SystemExit(1) from error
        released = released_cells(facts["db_url"], facts["assignment"], facts["notebook"])
        try:
            copy, changes = clean_copy(nb, source, released)
        except CourseError:
            withdraw_ungraded(project, facts["db_url"], facts["assignment"], facts["student"])
            raise
        for change in changes:
            self.log.warning("%s: %s", facts["student"], change)
        return copy, resources


class KeepReading(SaveAutoGrades):
    """Save the points, and do not ask again for what the instructor has decided before.

    Takes the place of nbgrader's SaveAutoGrades, which sends every cell with points given by hand
    back to the instructor. Here it goes back only if the answer's text, or the points that a test
    gave, are others than last time. The texts' digests lie beside the autograded folder, because
    nbgrader empties that first; where they are missing, nbgrader's way is kept.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Save the points; then take back what needs no second reading."""
        facts = resources["nbgrader"]
        folder = course_of(self).autograded / facts["student"]
        record = folder / f"{facts['assignment']}.{facts['notebook']}.read.json"
        texts = {
            name: hashlib.sha256(cell.source.encode()).hexdigest()
            for name, cell in named_cells(nb).items()
            if utils.is_solution(cell)
        }
        former = _former(record)
        with _grades(facts) as grades:
            decided = {
                grade.name: grade.auto_score
                for grade in grades
                if grade.manual_score is not None and not grade.needs_manual_grade
            }
        nb, resources = super().preprocess(nb, resources)
        with _grades(facts) as grades:
            for grade in grades:
                name, text = grade.name, texts.get(grade.name)
                same = former.get(name) == text if text else decided.get(name) == grade.auto_score
                if name in decided and same:
                    grade.needs_manual_grade = False
        record.write_text(json.dumps(texts, indent=1), encoding="utf-8")
        return nb, resources


@contextmanager
def _grades(facts: dict[str, str]) -> Iterator[list[Grade]]:
    """Open the gradebook's grades of one submitted notebook, and save what is changed in them."""
    with Gradebook(facts["db_url"]) as gradebook:
        submission = gradebook.find_submission_notebook(
            facts["notebook"], facts["assignment"], facts["student"]
        )
        yield list(submission.grades)
        gradebook.db.commit()


def _former(record: Path) -> dict[str, str]:
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


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
