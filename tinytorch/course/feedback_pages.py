"""Writes the students' feedback pages, by nbgrader's own step, in several processes.

A page is a second or two of one core: nbconvert, a look at every tag of it, and writing it out.
"""

import gc
import multiprocessing
import signal
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from functools import cache, partial
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from sqlalchemy.exc import SAWarning

from tinytorch.course.batch import Outcome, Stopped, require_gradebook, require_writable
from tinytorch.course.dispatch import end_with_parent
from tinytorch.course.project import CourseError, Project
from tinytorch.course.reference import released_cells
from tinytorch.course.terminal import Progress
from tinytorch.lab.facts import cores

_FEW = 3  # pages that are written before another process has begun
_GARBAGE = 200_000  # objects until the next look for garbage: a page is a tree of 30,000 tags


def feedback(
    project: Project,
    assignment: str,
    on_progress: Progress | None = None,
    show_hidden: bool = False,
    workers: int | None = None,
    students: list[str] | None = None,
) -> list[Outcome]:
    """Write the feedback page of everybody who was graded, or of `students`.

    An outcome's `message` is the page's path. show_hidden: with the source of the hidden tests, and
    all that was printed in them. workers: processes, by default one for each core. Raises
    CourseError if there is nothing to write pages of, or nowhere to write them, and Stopped at
    Ctrl-C. A page that cannot be made anew stays as it was.
    """
    name = project.notebook(assignment).name
    known = sorted(p.parent.parent.name for p in project.autograded.glob(f"*/{assignment}/{name}"))
    if not known:
        raise CourseError(
            f"Nobody's {assignment} has been graded yet: run `tito grade {assignment}` first."
        )
    students = list(dict.fromkeys(students or known))
    if strangers := sorted(set(students) - set(known)):
        raise CourseError(f"{', '.join(strangers)}: not graded yet, or nobody of this name.")
    require_gradebook(project, assignment)
    released_cells(project.gradebook_url, assignment, Path(name).stem)
    require_writable(project.feedback)
    one = partial(_page, project.root, assignment, name, show_hidden)
    number = min(workers or cores(), len(students))
    written = map(one, students) if len(students) <= _FEW else _by_many(one, students, number)
    outcomes: list[Outcome] = []
    try:
        while True:
            if on_progress:
                on_progress(len(outcomes), len(students), "")
            if (outcome := next(written, None)) is None:
                return sorted(outcomes, key=lambda outcome: outcome.student)
            outcomes.append(outcome)
    except KeyboardInterrupt as stop:
        raise Stopped(outcomes) from stop


def _by_many(one: Any, students: list[str], number: int) -> Iterator[Outcome]:
    """Yield the outcomes as they come; if a process is killed, what it leaves has failed."""
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(number, mp_context=context, initializer=_begin)
    try:
        futures = {executor.submit(one, student): student for student in students}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenExecutor as error:
                said = f"a process that writes pages has ended ({error}); run this again"
                yield Outcome(futures[future], "failed", None, None, 0.0, said)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started this
    gc.set_threshold(_GARBAGE)


@cache
def _api(root: Path, show_hidden: bool) -> NbGraderAPI:
    config = Project(root).nbgrader_config()
    config.OneSentence.show_hidden = show_hidden
    return NbGraderAPI(config=config)


def _page(root: Path, assignment: str, name: str, show_hidden: bool, student: str) -> Outcome:
    started, project = time.monotonic(), Project(root)
    points = _points(project, assignment, student)
    if points[0] is None:  # nbgrader would remove the page, and then say so
        said = f"the gradebook has no grade; `tito grade {assignment}` puts back what was graded"
        return Outcome(student, "failed", *points, 0.0, said)
    with warnings.catch_warnings():
        # nbgrader 0.9 meets a newer SQLAlchemy's opinion on its sessions; the grades are right.
        warnings.simplefilter("ignore", SAWarning)
        result = _api(root, show_hidden).generate_feedback(assignment, student, force=True)
    page = project.feedback / student / assignment / Path(name).with_suffix(".html")
    worked = result["success"] and page.is_file()
    return Outcome(
        student,
        "graded" if worked else "failed",
        *points,
        time.monotonic() - started,
        str(page) if worked else _reason(result),
    )


def _points(project: Project, assignment: str, student: str) -> tuple[float | None, float | None]:
    with Gradebook(project.gradebook_url) as gradebook:
        try:
            found = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return None, None
        return found.score, found.max_score


def _reason(result: dict[str, Any]) -> str:
    """Return the exception's own line from what nbgrader logged."""
    lines = [line.strip() for line in result.get("log", "").splitlines() if line.strip()]
    raised = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception"))]
    chosen = (raised or lines or ["nbgrader gave no reason"])[-1]
    return chosen.removeprefix("tinytorch.course.project.CourseError: ")[:300]
