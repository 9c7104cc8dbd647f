"""Grades a class with nbgrader, one student at a time, so that none can take the others along.

The preflight comes first. What happens to one submission is decided by preprocessors.py and
isolation.py, and tables are made by report.py.
"""

import sqlite3
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from sqlalchemy.exc import SAWarning

from tinytorch.course.preprocessors import withdraw_ungraded
from tinytorch.course.project import CourseError, Project
from tinytorch.course.reference import check_reference, released_cells
from tinytorch.course.report import is_current, is_graded
from tinytorch.course.terminal import Progress


class Stopped(KeyboardInterrupt):
    """Somebody pressed Ctrl-C; `outcomes` are the students that were done by then."""

    def __init__(self, outcomes: "list[Outcome]") -> None:
        super().__init__()
        self.outcomes = outcomes


@dataclass(frozen=True)
class Outcome:
    """What became of one student: state is "graded", "skipped" (graded before) or "failed".

    `score` and `max_score` are the gradebook's, None after a failure; `message` is for a person.
    """

    student: str
    state: str
    score: float | None
    max_score: float | None
    seconds: float
    message: str


def grade(
    project: Project,
    assignment: str,
    students: list[str] | None = None,
    force: bool = False,
    on_progress: Progress | None = None,
    seed: int | None = None,
) -> list[Outcome]:
    """Grade everybody who handed in (or `students`), and return one outcome each.

    A submission that was graded and has not changed since is skipped unless `force`. seed: what
    hidden tests draw their instances from; by default a student's last seed, or a new one. Raises
    CourseError, before any student, if there is nothing to grade, nowhere to write the grades,
    or if the reference itself loses points.
    """
    notebook = project.notebook(assignment)
    handed_in = _handed_in(project, assignment)
    misplaced = [] if students else list(_misplaced(project, assignment))
    if not handed_in and not students and not misplaced:
        raise CourseError(
            f"Nobody has handed in {assignment}: expected "
            f"{project.submitted / '<student>' / assignment / notebook.name}. "
            f"Put the notebooks there, or run `nbgrader collect {assignment}`."
        )
    _require_gradebook(project, assignment)
    released_cells(project.gradebook_url, assignment, notebook.stem)
    _require_writable(project.autograded)
    config = project.nbgrader_config()
    if seed is not None:
        config.IsolatedExecute.seed = seed
    check_reference(project, assignment, project.gradebook_url, config)
    api = NbGraderAPI(config=config)

    def one(student: str) -> Outcome:
        return _grade_one(project, assignment, student, force, api)

    return misplaced + _each(list(dict.fromkeys(students or handed_in)), one, on_progress)


def _misplaced(project: Project, assignment: str) -> Iterator[Outcome]:
    """One failure for everything in `submitted` that is no <student>/<assignment>/."""
    for entry in sorted(project.submitted.iterdir() if project.submitted.is_dir() else ()):
        if entry.name.startswith("."):
            continue
        found = [entry] if entry.is_file() else sorted(entry.glob("*.ipynb"))
        if found and not (entry / assignment).is_dir():
            place = project.submitted / "<student>" / assignment / project.notebook(assignment).name
            message = f"{found[0]} is not where it is looked for. Move it to {place}."
            yield Outcome(entry.name, "failed", None, None, 0.0, message)


def feedback(
    project: Project,
    assignment: str,
    on_progress: Progress | None = None,
    show_hidden: bool = False,
) -> list[Outcome]:
    """Write the feedback page of everybody who was graded; `message` is the page's path.

    show_hidden: with the source of the hidden tests, and all that was printed in them.
    """
    name = project.notebook(assignment).name
    students = sorted(
        p.parent.parent.name for p in project.autograded.glob(f"*/{assignment}/{name}")
    )
    if not students:
        raise CourseError(
            f"Nobody's {assignment} has been graded yet: run `tito grade {assignment}` first."
        )
    _require_gradebook(project, assignment)
    _require_writable(project.feedback)
    config = project.nbgrader_config()
    config.OneSentence.show_hidden = show_hidden
    api = NbGraderAPI(config=config)

    def one(student: str) -> Outcome:
        started = time.monotonic()
        result = api.generate_feedback(assignment, student, force=True)
        page = project.feedback / student / assignment / Path(name).with_suffix(".html")
        worked = result["success"] and page.is_file()
        return Outcome(
            student,
            "graded" if worked else "failed",
            *_points(project, assignment, student),
            time.monotonic() - started,
            str(page) if worked else _reason(result),
        )

    return _each(students, one, on_progress)


def _each(
    students: list[str], work: Callable[[str], Outcome], on_progress: Progress | None
) -> list[Outcome]:
    outcomes = []
    with warnings.catch_warnings():
        # nbgrader 0.9 meets a newer SQLAlchemy's opinion on its sessions; the grades are right.
        warnings.simplefilter("ignore", SAWarning)
        for done, student in enumerate(students):
            if on_progress:
                on_progress(done, len(students), student)
            try:
                outcomes.append(work(student))
            except KeyboardInterrupt as stop:
                raise Stopped(outcomes) from stop
    if on_progress:
        on_progress(len(students), len(students), "")
    return outcomes


def _handed_in(project: Project, assignment: str) -> list[str]:
    return sorted(folder.parent.name for folder in project.submitted.glob(f"*/{assignment}"))


def _grade_one(
    project: Project, assignment: str, student: str, force: bool, api: NbGraderAPI
) -> Outcome:
    started = time.monotonic()

    def outcome(state: str, message: str = "") -> Outcome:
        points = (None, None) if state == "failed" else _points(project, assignment, student)
        return Outcome(student, state, *points, time.monotonic() - started, message)

    for problem in _problems(project, assignment, student):
        if not _has_grade(project, assignment, student):
            # `nbgrader autograde` may have met it before, and left a row that reads as zero.
            withdraw_ungraded(project, project.gradebook_url, assignment, student)
        return outcome("failed", problem)
    if not force and _is_done(project, assignment, student):
        return outcome("skipped", "graded before; --force grades again")
    result = api.autograde(assignment, student, force=True)
    if result["success"]:
        return outcome("graded", _remarks(project, assignment, student, result))
    if "KeyboardInterrupt" in result.get("error", "").splitlines()[-1:]:
        raise KeyboardInterrupt  # nbgrader's API takes it for a failure of this student
    withdraw_ungraded(project, project.gradebook_url, assignment, student)
    return outcome("failed", _reason(result))


def _problems(project: Project, assignment: str, student: str) -> Iterator[str]:
    """What keeps a submission from being graded at all, with the way out."""
    folder = project.submitted / student / assignment
    path = folder / project.notebook(assignment).name
    if not folder.is_dir():
        yield f"{student} has not handed in: there is no {folder}."
        return
    if set(student) & set("*?[]"):
        yield f"{folder.parent}: nbgrader takes *, ?, [ and ] for patterns. Rename the folder."
        return
    links = [p for p in (folder.parent, folder, *folder.rglob("*")) if p.is_symlink()]
    if links:
        yield f"{links[0]} is a link, and links are not followed. Ask for the file itself."
        return
    if not path.is_file():
        others = sorted(p.name for p in folder.glob("*.ipynb") if p.is_file())
        there = f"{', '.join(others)} is there" if others else "there is no notebook"
        yield f"{path} is missing ({there}). Rename the right notebook to {path.name}."
        return
    stamp = folder / "timestamp.txt"
    try:
        utils.parse_utc(stamp.read_text().strip()) if stamp.is_file() else None
    except (ValueError, OverflowError, OSError):
        yield f"{stamp} holds no date. Correct it, or delete it."
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        yield f"{path} cannot be read: {error.strerror}."
        return
    try:
        nbformat.reads(content.decode("utf-8"), as_version=4)
    except Exception as error:  # nbformat raises what the JSON inside makes it raise
        reason = str(error).strip().splitlines() or [""]
        yield (
            f"{path} is not a notebook ({type(error).__name__}: {reason[0][:100]}). "
            "Ask the student to save it in JupyterLab and hand it in again."
        )


def _remarks(project: Project, assignment: str, student: str, result: dict[str, Any]) -> str:
    """What an instructor should look at: what was put right, what hung or died."""
    log = result.get("log", "").splitlines()
    mended = sum("WARNING" in line and f"{student}: " in line for line in log)
    executed = project.autograded / student / assignment / project.notebook(assignment).name
    kinds = [
        output.get("ename")
        for cell in nbformat.read(executed, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    counts = (
        (mended, "put right before grading"),
        (kinds.count("CellTimeoutError"), "ran too long"),
        (kinds.count("KernelDied"), "ended the kernel"),
    )
    said = [f"{n} cell{'s' * (n > 1)} {what}" for n, what in counts if n]
    return "; ".join(said)


def _is_done(project: Project, assignment: str, student: str) -> bool:
    """Graded to the end, and not handed in again since."""
    return is_current(project, assignment, student) and _has_grade(project, assignment, student)


def _has_grade(project: Project, assignment: str, student: str) -> bool:
    with Gradebook(project.gradebook_url) as gradebook:
        try:
            return is_graded(gradebook.find_submission(assignment, student))
        except MissingEntry:
            return False


def _points(project: Project, assignment: str, student: str) -> tuple[float | None, float | None]:
    with Gradebook(project.gradebook_url) as gradebook:
        try:
            found = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return None, None
        return found.score, found.max_score


def _require_gradebook(project: Project, assignment: str) -> None:
    """Raise CourseError unless the gradebook is there and can be written to."""
    path = project.root / "gradebook.db"
    if not path.exists():
        raise CourseError(
            f"{assignment} has not been released: there is no {path}. "
            f"Run `tito release {assignment}` first."
        )
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise CourseError(
            f"The gradebook {path} cannot be written to ({error}). Close what else uses it, and "
            "look at its permissions; no grade has been changed."
        ) from error


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CourseError(
            f"{folder} cannot be written to ({error.strerror}). Make it a folder that you may "
            "write to; no grade has been changed."
        ) from error


def _reason(result: dict[str, Any]) -> str:
    """Return the exception's own line from what nbgrader logged."""
    lines = [line.strip() for line in result.get("log", "").splitlines() if line.strip()]
    raised = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception"))]
    chosen = (raised or lines or ["nbgrader gave no reason"])[-1]
    return chosen.removeprefix("tinytorch.course.project.CourseError: ")[:300]
