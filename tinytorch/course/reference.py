"""Student zero: the reference, graded like a submission but without a gradebook.

If the reference does not get its own points, the computer is at fault and not the students. What
is done about that is decided by preprocessors.py and batch.py.
"""

import hashlib
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import ClearSolutions
from traitlets.config import Config

from tinytorch.course.isolation import IsolatedExecute, is_test, named_cells, read_source
from tinytorch.course.project import CourseError, Project

_checked: set[str] = set()  # fingerprints of references that got every point in this process


@dataclass(frozen=True)
class CellScore:
    """One test cell's points; `error` is the last line of what went wrong, or empty."""

    grade_id: str
    score: float
    max_score: float
    error: str


@dataclass(frozen=True)
class ReleasedCell:
    """What the gradebook knows of a cell since the release; `source` holds hidden tests."""

    name: str
    cell_type: str
    source: str
    locked: bool
    checksum: str | None
    points: float | None
    solution: bool
    task: bool

    def nbgrader_metadata(self) -> dict[str, Any]:
        """Return the cell's nbgrader metadata as the release had it."""
        found: dict[str, Any] = {
            "schema_version": 3,
            "grade_id": self.name,
            "cell_type": self.cell_type,
            "locked": self.locked,
            "grade": self.points is not None and not self.task,
            "solution": self.solution,
            "task": self.task,
        }
        if self.points is not None:
            found["points"] = self.points
        if self.checksum:
            found["checksum"] = self.checksum
        return found


def released_cells(db_url: str, assignment: str, notebook: str) -> dict[str, ReleasedCell]:
    """Return the gradebook's cells of a notebook by name; CourseError if it was never released."""
    with Gradebook(db_url) as gradebook:
        try:
            entry = gradebook.find_notebook(notebook, assignment)
        except MissingEntry as error:
            raise CourseError(
                f"{assignment} has not been released: the gradebook does not know its notebook "
                f"{notebook!r}. Run `tito release {assignment}` first."
            ) from error
        points = {cell.name: float(cell.max_score) for cell in entry.grade_cells}
        points |= {cell.name: float(cell.max_score) for cell in entry.task_cells}
        solutions = {cell.name for cell in entry.solution_cells}
        tasks = {cell.name for cell in entry.task_cells}
        return {
            cell.name: ReleasedCell(
                name=cell.name,
                cell_type=cell.cell_type,
                source=cell.source,
                locked=cell.locked,
                checksum=cell.checksum,
                points=points.get(cell.name),
                solution=cell.name in solutions,
                task=cell.name in tasks,
            )
            for cell in entry.source_cells
        }


def with_released_tests(notebook: NotebookNode, released: dict[str, ReleasedCell]) -> NotebookNode:
    """Put the locked cells of the release into `notebook`: the tests that students will meet."""
    for grade_id, cell in named_cells(notebook).items():
        if grade_id in released and released[grade_id].locked:
            cell.source = released[grade_id].source
    return notebook


def score_notebook(
    project: Project,
    assignment: str,
    notebook: NotebookNode,
    config: Config | None = None,
    trusted: bool = False,
    judged: bool = False,
) -> list[CellScore]:
    """Run `notebook` as a submission is run, and return the points of its test cells in order.

    The outputs are written into `notebook`. trusted: the notebook is the reference, and what it
    compiles is kept for others. judged: by a judge and in a sandbox, as submissions are, and not
    in a kernel. Raises CourseError if these cannot be had.
    """
    from tinytorch.course.judged_execute import JudgedExecute

    kind = JudgedExecute if judged else IsolatedExecute
    execute = kind(config=config or project.nbgrader_config())
    execute.project, execute.trusted = project, trusted
    execute.preprocess(notebook, {"nbgrader": {"assignment": assignment}})
    scores = []
    for grade_id, cell in named_cells(notebook).items():
        if is_test(cell):
            score, max_score = utils.determine_grade(cell)
            scores.append(CellScore(grade_id, score or 0.0, max_score, _error_line(cell)))
    return scores


def check_reference(
    project: Project,
    assignment: str,
    db_url: str | None = None,
    config: Config | None = None,
    judged: bool = False,
) -> None:
    """Grade the reference; CourseError unless it gets every point of every test cell.

    Done once per process for the same notebook, release and package. judged: see score_notebook.
    """
    notebook = read_source(project, assignment)
    expected = {name for name, cell in named_cells(notebook).items() if is_test(cell)}
    if db_url is not None:
        released = released_cells(db_url, assignment, project.notebook(assignment).stem)
        notebook = with_released_tests(notebook, released)
        tests = {c.name for c in released.values() if c.points is not None and not c.solution}
        if tests != expected:
            raise CourseError(
                f"The release of {assignment} and {project.notebook(assignment)} have different "
                f"test cells ({', '.join(sorted(tests ^ expected))}). Run "
                f"`tito release {assignment}` again."
            )
    if not expected:
        raise CourseError(f"{project.notebook(assignment)} has no test cell: nothing to grade.")
    key = f"{judged} {fingerprint(project, nbformat.writes(notebook))}"
    if key in _checked:
        return
    scores = score_notebook(project, assignment, notebook, config, trusted=True, judged=judged)
    short = [score for score in scores if score.score < score.max_score]
    if short:
        raise CourseError(_broken(project.script(assignment), notebook, short))
    _checked.add(key)


def untouched(project: Project, assignment: str) -> NotebookNode:
    """Return the lesson with stubs for solutions, as students get it, but with hidden tests."""
    clear = ClearSolutions(config=project.nbgrader_config())
    return clear.preprocess(read_source(project, assignment), {})[0]


def fingerprint(project: Project, text: str) -> str:
    """Return a digest of what a run depends on: a notebook's text and the package's files."""
    digest = hashlib.sha256(text.encode())
    for path in sorted(project.package.rglob("*.py")):
        state = path.stat()
        digest.update(f"{path} {state.st_mtime_ns} {state.st_size}\n".encode())
    return digest.hexdigest()


def _error_line(cell: NotebookNode) -> str:
    for output in cell.outputs:
        if output.output_type == "error":
            lines = f"{output.ename}: {output.evalue}".strip().splitlines()
            return lines[0].removesuffix(":").strip() if lines else output.ename
    return ""


def _broken(script: Path, notebook: NotebookNode, short: list[CellScore]) -> str:
    """Say what is broken: cells that should have run come first, they are mostly the cause."""
    tests = {score.grade_id for score in short}
    causes = [
        f"  {cell.metadata.get('nbgrader', {}).get('grade_id', 'a cell')}: {_error_line(cell)}"
        for cell in notebook.cells
        if cell.cell_type == "code"
        and _error_line(cell)
        and cell.metadata.get("nbgrader", {}).get("grade_id") not in tests
    ]
    losses = [f"  {s.grade_id}: {s.score:g} of {s.max_score:g} points, {s.error}" for s in short]
    shown = [*causes[:3], *losses[:5]]
    more = len(causes) + len(losses) - len(shown)
    if more:
        shown.append(f"  and {more} more")
    return "\n".join(
        [
            "Grading stopped before any student: the reference solution itself loses points, so "
            "this computer is at fault and not the students.",
            *shown,
            f"This is Python {platform.python_version()} with {_versions()}.",
            "Run `tito doctor`, put right what it names, then grade again. If the lesson was "
            f"changed last, look for the mistake in {script}.",
        ]
    )


def _versions() -> str:
    found = []
    for name in ("numpy", "numba", "ipykernel"):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)
