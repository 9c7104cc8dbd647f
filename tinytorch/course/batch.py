"""Grades a class: nothing is lost, and a second run does only what is left.

The reference comes first. Then each student's task goes to a worker (dispatch.py), its record is
written as it comes (records.py), and one writer merges the records into the gradebook in batches
(gradebook.py). Killed at any moment, the same command goes on: a record with the right key stands.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from tinytorch.course import dispatch
from tinytorch.course.dispatch import Workers
from tinytorch.course.gradebook import Merger, Standing
from tinytorch.course.hand_ins import HandIns, Unready, misplaced
from tinytorch.course.project import CourseError, Project
from tinytorch.course.records import Record, Records, Task, stands, sweep
from tinytorch.course.reference import check_reference, released_cells
from tinytorch.course.terminal import Progress

FUNCTION = "tinytorch.course.task:grade_submission"
_BATCH = 25  # records a transaction
_AT_LEAST = 10.0  # seconds until the next transaction, where records come slowly


class Stopped(KeyboardInterrupt):
    """Somebody pressed Ctrl-C; `outcomes` are the students that were done by then."""

    def __init__(self, outcomes: "list[Outcome]") -> None:
        super().__init__()
        self.outcomes = outcomes


@dataclass(frozen=True)
class Outcome:
    """What became of one student.

    state: "graded", "skipped" (graded before), "timeout" (its time ran out, it has scores),
    "refused" (a zero, with the reason), or "failed" (not the student's fault: no score is changed).
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
    *,
    trusted: bool = False,
    workers: Workers | None = None,
    function: str | None = None,
) -> list[Outcome]:
    """Grade everybody who handed in (or `students`), and return one outcome each, by student.

    A student whose record stands is skipped unless `force`. seed: what hidden tests draw their
    instances from; by default a student's last seed, or a new one. trusted: without a sandbox.
    workers: by default a process for each core. function: what grades a task, "module:name".
    Raises CourseError, before any student, if there is nothing to grade, nowhere to write the
    grades, or if the reference itself loses points.
    """
    hand_ins = _prepared(project, assignment, students, seed, trusted)
    run = _Run(hand_ins, force, on_progress)
    if not students:
        run.outcomes = [
            Outcome(name, "failed", None, None, 0.0, message)
            for name, message in misplaced(project, assignment)
        ]
    chosen = list(dict.fromkeys(students or hand_ins.students()))
    with hand_ins.records.alone(), run.merger:
        sweep(hand_ins.records.folder)
        try:
            run.go(chosen, function or FUNCTION, workers or dispatch.pool())
        except KeyboardInterrupt as stop:
            raise Stopped(run.in_order()) from stop
        if not students:
            hand_ins.records.end_run()
    return run.in_order()


def regrade(
    project: Project, assignment: str, since_release: bool = False, **options: Any
) -> list[Outcome]:
    """Grade again who has a record, with the seed of that record; see `grade` for the options.

    since_release: only those whose record is of another release than the present one.
    """
    project.assignment(assignment)
    records = Records(project, assignment)
    heads = {record["student"]: record for record in records.heads()}
    if not heads:
        raise CourseError(f"Nobody's {assignment} has a record: run `tito grade {assignment}`.")
    chosen = list(heads)
    if since_release:
        require_gradebook(project, assignment)
        now = HandIns(project, assignment).release_digest
        chosen = [student for student in chosen if heads[student].get("release") != now]
    return grade(project, assignment, chosen, True, **options) if chosen else []


def _prepared(
    project: Project, assignment: str, students: list[str] | None, seed: int | None, trusted: bool
) -> HandIns:
    """Look at all that everybody's grade depends on, before anybody is graded."""
    notebook = project.notebook(assignment)
    found = any(project.submitted.glob(f"*/{assignment}"))
    if not found and not students and not any(misplaced(project, assignment)):
        raise CourseError(
            f"Nobody has handed in {assignment}: expected "
            f"{project.submitted / '<student>' / assignment / notebook.name}. "
            f"Put the notebooks there, or run `nbgrader collect {assignment}`."
        )
    require_gradebook(project, assignment)
    released_cells(project.gradebook_url, assignment, notebook.stem)
    require_writable(project.autograded)
    config = project.nbgrader_config()
    if seed is not None:
        config.JudgedExecute.seed = seed
    config.JudgedExecute.trust_submissions = trusted
    check_reference(project, assignment, project.gradebook_url, config, judged=True)
    return HandIns(project, assignment, seed, trusted)


class _Run:
    """One run over a class: what is done, and what waits to be merged."""

    def __init__(self, hand_ins: HandIns, force: bool, on_progress: Progress | None) -> None:
        self.hand_ins, self.force, self.on_progress = hand_ins, force, on_progress
        self.records = hand_ins.records
        self.merger = Merger(hand_ins.project, hand_ins.assignment)
        self.outcomes: list[Outcome] = []
        self.counts: Counter[str] = Counter()
        self.pending: list[Record] = []
        self.merged_at = time.monotonic()

    def in_order(self) -> list[Outcome]:
        return sorted(self.outcomes, key=lambda outcome: outcome.student)

    def go(self, students: list[str], function: str, workers: Workers) -> None:
        """Bring every student to an outcome; what came in is merged even if this is stopped."""
        self.total = len(students)
        self.standings = self.merger.standings()
        try:
            with closing(dispatch.run(self._tasks(students), function, workers)) as answers:
                for task, record in answers:
                    self._take(task, record)
        finally:
            self._merge()
        self._show()

    def _tasks(self, students: list[str]) -> Iterator[Task]:
        """Yield the tasks of those who have no record that stands; settle the others."""
        for student in students:
            try:
                task = self.hand_ins.task(student)
            except Unready as error:
                self._settle(Outcome(student, "failed", None, None, 0.0, str(error)), "not ready")
                continue
            if self.force or not self._stands(task):
                yield task

    def _stands(self, task: Task) -> bool:
        """Settle a student whose record stands: nothing to do, or only to be merged."""
        student, seed = task["student"], self.hand_ins.seed
        head = self.records.head(student)
        if not stands(head, task["key"], seed):
            return False
        standing = self.standings.get(student, Standing(None, False, 0.0))
        if standing.key == task["key"] and standing.graded and self._is_placed(student):
            assert head is not None
            points = (standing.score, self.merger.max_score)
            said = "graded before; --force grades again"
            if head["state"] == "refused":
                said = f"refused before: {head['reason']}"
            self._settle(Outcome(student, "skipped", *points, 0.0, said), "skipped")
            return True
        record = self.records.read(student)
        if record is None:
            return False
        self.pending.append(record)
        self._merge_if_due()
        return True

    def _is_placed(self, student: str) -> bool:
        assignment = self.hand_ins.assignment
        folder = self.hand_ins.project.autograded / student / assignment
        return (folder / self.hand_ins.name).is_file()

    def _take(self, task: Task, record: Record) -> None:
        """Write a record as it comes; whether it is merged yet or not, it stands from now on."""
        record = record | task["about"]
        if record["state"] == "infrastructure":
            if self.records.head(record["student"]) is None:
                self.records.write(record)  # an earlier result is worth more than this one
            said = f"The grading failed, not the student: {record['reason']}"
            outcome = Outcome(record["student"], "failed", None, None, _seconds(record), said)
            self._settle(outcome, "infrastructure error")
            return
        self.records.write(record)
        self.pending.append(record)
        self._merge_if_due()

    def _merge_if_due(self) -> None:
        if len(self.pending) >= _BATCH or time.monotonic() - self.merged_at > _AT_LEAST:
            self._merge()
        self._show()

    def _merge(self) -> None:
        batch, self.pending = self.pending, []
        scores = self.merger.merge(batch)
        self.merged_at = time.monotonic()
        for record in batch:
            points = (scores[record["student"]], self.merger.max_score)
            outcome = Outcome(
                record["student"], record["state"], *points, _seconds(record), _remarks(record)
            )
            self._settle(outcome, kind_of(record))

    def _settle(self, outcome: Outcome, kind: str) -> None:
        self.outcomes.append(outcome)
        self.counts[kind] += 1
        self._show()

    def _show(self) -> None:
        if self.on_progress:
            counts = self.counts + Counter(map(kind_of, self.pending))
            said = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items()))
            self.on_progress(sum(counts.values()), self.total, said)


def kind_of(record: Record) -> str:
    """Say in which column of a count a record belongs."""
    if record["state"] == "infrastructure":
        return "infrastructure error"
    ended = {"died", "hung", "not run"} & set(record.get("cells", {}).values())
    return "student error" if record["state"] == "graded" and ended else record["state"]


def _seconds(record: Record) -> float:
    return float(record.get("seconds", {}).get("all", 0.0))


def _remarks(record: Record) -> str:
    """What an instructor should look at: what was put right, what hung or died."""
    if record["state"] == "refused":
        return str(record["reason"])
    cells = list(record.get("cells", {}).values())
    restored = len(record.get("restored", []))
    counts = (
        (cells.count("hung"), "ran too long"),
        (cells.count("died"), "ended the student's process"),
        (cells.count("not run"), "did not run"),
    )
    said = [f"{n} cell{'s' * (n > 1)} {what}" for n, what in counts if n]
    if restored:
        said.insert(0, f"{restored} thing{'s' * (restored > 1)} put right before grading")
    if record["state"] == "timeout":
        said.insert(0, "the time for a submission ran out")
    return "; ".join(said)


def require_gradebook(project: Project, assignment: str) -> None:
    """Raise CourseError unless the gradebook is there and can be written to."""
    place = project.gradebook_place
    url = sql.make_url(project.gradebook_url)
    is_file = url.get_backend_name() == "sqlite" and url.database
    if is_file and not Path(url.database or "").exists():
        raise CourseError(
            f"{assignment} has not been released: there is no {place}. "
            f"Run `tito release {assignment}` first."
        )
    engine = sql.create_engine(url)
    try:
        with engine.connect() as db:
            if is_file:
                db.exec_driver_sql("BEGIN IMMEDIATE")
            db.exec_driver_sql("SELECT count(*) FROM assignment")
            db.rollback()
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().split("\n")[0]
        raise CourseError(
            f"The gradebook {place} cannot be written to ({reason}). Close what else uses it, and "
            "look at its permissions; no grade has been changed."
        ) from error
    finally:
        engine.dispose()


def require_writable(folder: Path) -> None:
    """Raise CourseError unless files can be made in this folder, which is made if need be."""
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CourseError(
            f"{folder} cannot be written to ({error.strerror}). Make it a folder that you may "
            "write to; no grade has been changed."
        ) from error
