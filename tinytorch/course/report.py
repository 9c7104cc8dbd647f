"""What the gradebook says of an assignment: rows for people, CSV and JSON.

Only reads. An answer's points are those of its test cells: test_<answer> and test_<answer>_....
"""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from nbgrader.api import (
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy.exc import DatabaseError

from tinytorch.course import seeds
from tinytorch.course.hand_ins import misplaced
from tinytorch.course.project import CourseError, Project
from tinytorch.course.records import Record, Records

TRUSTED = "graded with --trust-submissions"


@dataclass(frozen=True)
class CellGrade:
    """One graded cell; `score` is the instructor's if there is one, else the tests'."""

    grade_id: str
    score: float
    max_score: float
    needs_manual_grade: bool
    manual_score: float | None = None


@dataclass(frozen=True)
class Row:
    """One student's result. Without a finished grading `score` is None and `cells` is empty.

    seed: what the hidden tests of the last grading drew their instances from. reason: why a
    submission was refused, or could not be graded. trusted: it was graded without a sandbox.
    """

    student: str
    state: str
    submitted_at: datetime | None
    score: float | None
    max_score: float
    cells: list[CellGrade] = field(default_factory=list)
    seed: int | None = None
    reason: str = ""
    trusted: bool = False
    penalty: float = 0.0

    @property
    def remark(self) -> str:
        """What a reader of any table must know besides the points."""
        return "; ".join(filter(None, (self.reason, TRUSTED if self.trusted else "")))

    @property
    def needs_manual_grade(self) -> bool:
        """Whether an answer waits for the instructor."""
        return any(cell.needs_manual_grade for cell in self.cells)


@dataclass(frozen=True)
class Report:
    """An assignment's rows by student, and its answers in the notebook's order with maxima."""

    assignment: str
    answers: dict[str, float]
    groups: dict[str, str]
    rows: list[Row]

    def by_answer(self, row: Row) -> dict[str, float | None]:
        """Return a row's points per answer; None where no cell has been graded yet.

        Points given by hand count although nbgrader wants them confirmed after a new grading.
        """
        points: dict[str, float | None] = dict.fromkeys(self.answers)
        for cell in row.cells:
            if not cell.needs_manual_grade or cell.manual_score is not None:
                group = self.groups[cell.grade_id]
                points[group] = (points[group] or 0.0) + cell.score
        return points


def is_current(project: Project, assignment: str, student: str, refused: bool = False) -> bool:
    """Say whether what was graded last is what is handed in now, by the files' times.

    refused: it was, so there need be no notebook in it.
    """
    name = project.notebook(assignment).name
    executed = project.autograded / student / assignment / name
    handed_in = project.submitted / student / assignment / name
    if not handed_in.is_file() and not refused:
        return False
    # A copy keeps the time at which the student saved it; ctime says when it came to be here.
    times = [
        s for p in handed_in.parent.rglob("*") for s in (p.lstat().st_mtime, p.lstat().st_ctime)
    ]
    return executed.is_file() and executed.stat().st_mtime >= max(times, default=0.0)


def answer_of(grade_id: str, answers: Iterable[str]) -> str:
    """Return the answer that a test cell belongs to: the longest name that its grade_id holds."""
    fitting = [
        name
        for name in answers
        if grade_id in (name, f"test_{name}") or grade_id.startswith(f"test_{name}_")
    ]
    return max(fitting, key=len, default=grade_id)


def report(project: Project, assignment: str) -> Report:
    """Read the gradebook; CourseError if the assignment was never released.

    Students who handed in and have no finished grade are rows too: "not graded".
    """
    from tinytorch.course.isolation import named_cells, read_source

    order = list(named_cells(read_source(project, assignment)))
    place = project.gradebook_place
    if project.gradebook_url.startswith("sqlite") and not Path(place).is_file():
        raise CourseError(f"{project.root} has no gradebook: run `tito release {assignment}`.")
    try:
        return _read(project, assignment, order)
    except MissingEntry as error:
        raise CourseError(
            f"{assignment} has not been released: run `tito release {assignment}` first."
        ) from error
    except DatabaseError as error:
        raise CourseError(
            f"The gradebook {place} cannot be read ({error.orig}). "
            "Close what else uses it; if it is damaged, put a copy of it back."
        ) from error


def _read(project: Project, assignment: str, order: list[str]) -> Report:
    with Gradebook(project.gradebook_url) as gradebook:
        entry = gradebook.find_notebook(project.notebook(assignment).stem, assignment)
        graded = [*entry.grade_cells, *entry.task_cells]
        maxima = {cell.name: float(cell.max_score) for cell in graded}
        names = sorted(maxima, key=lambda n: (order.index(n) if n in order else len(order), n))
        solutions = [cell.name for cell in entry.solution_cells]
        groups = {name: answer_of(name, solutions) for name in names}
        answers: dict[str, float] = {}
        for name in names:
            answers[groups[name]] = answers.get(groups[name], 0.0) + maxima[name]
        written = set(solutions) | {cell.name for cell in graded if cell.cell_type != "code"}
        reading = _Reading(names, maxima, {n for n in names if n not in written})
        rows = reading.rows(gradebook, entry)
    heads = {head["student"]: head for head in Records(project, assignment).heads()}
    for folder in project.submitted.glob(f"*/{assignment}"):
        student = folder.parent.name
        rows.setdefault(student, Row(student, "not graded", None, None, reading.total))
        refused = heads.get(student, {}).get("state") == "refused"
        if rows[student].cells and not is_current(project, assignment, student, refused):
            rows[student] = replace(rows[student], state="newer hand-in not graded")
    for student, why in misplaced(project, assignment):
        if (project.submitted / student).is_dir():
            lost = Row(student, "not graded", None, None, reading.total, reason=why)
            rows.setdefault(student, lost)
    found = [
        _with_record(project, assignment, rows[student], heads.get(student))
        for student in sorted(rows)
    ]
    return Report(assignment, answers, groups, found)


@dataclass(frozen=True)
class _Reading:
    """What is read of the gradebook: the names of its cells in order, and which are tests."""

    names: list[str]
    maxima: dict[str, float]
    tests: set[str]

    @property
    def total(self) -> float:
        return sum(self.maxima.values())

    def rows(self, gradebook: Gradebook, entry: Notebook) -> dict[str, Row]:
        """Read the class in two statements, whatever its size."""
        cells = {cell.id: cell.name for cell in (*entry.grade_cells, *entry.task_cells)}
        submitted = SubmittedNotebook.__table__
        query = (
            sql.select(SubmittedAssignment.student_id, SubmittedAssignment.timestamp,
                       submitted.c.id, submitted.c.late_submission_penalty)
            .join(submitted, submitted.c.assignment_id == SubmittedAssignment.id)
            .where(submitted.c.notebook_id == entry.id)
        )  # fmt: skip
        students = gradebook.db.execute(query).all()
        of: dict[str, list[Any]] = {row[2]: [] for row in students}
        query = (
            sql.select(Grade.notebook_id, Grade.cell_id, Grade.score, Grade.auto_score,
                       Grade.manual_score, Grade.needs_manual_grade)
            .join(submitted, submitted.c.id == Grade.notebook_id)
            .where(submitted.c.notebook_id == entry.id)
        )  # fmt: skip
        for row in gradebook.db.execute(query):
            if row[1] in cells:
                of[row[0]].append((cells[row[1]], *row[2:]))
        return {
            student: self._row(student, when, penalty, of[notebook])
            for student, when, notebook, penalty in students
        }

    def _row(
        self, student: str, when: datetime | None, penalty: float | None, grades: list[Any]
    ) -> Row:
        by_name = {name: rest for name, *rest in grades}
        # nbgrader marks whatever has not been looked at as "needs manual grade", tests too.
        done = [by_name[name][1:3] != [None, None] for name in self.tests if name in by_name]
        if not done or not all(done):
            return Row(student, "not graded", when, None, self.total)
        cells = [
            CellGrade(name, float(score), self.maxima[name], bool(needs), manual)
            for name in self.names
            if name in by_name
            for score, _, manual, needs in [by_name[name]]
        ]
        state = "needs reading" if any(cell.needs_manual_grade for cell in cells) else "graded"
        score = sum(cell.score for cell in cells)
        return Row(student, state, when, score, self.total, cells, penalty=penalty or 0.0)


def _with_record(project: Project, assignment: str, row: Row, head: Record | None) -> Row:
    """Add what only the record knows: why there is a zero, and whether there was a sandbox."""
    seed = seeds.recorded(project, assignment, row.student)
    if head is None:
        return replace(row, seed=seed)
    state, reason = row.state, row.reason
    if head["state"] in ("refused", "infrastructure"):
        reason = str(head["reason"])
        if head["state"] == "refused" and state != "newer hand-in not graded":
            state = "refused" if not row.score else f"{state}; a newer hand-in was refused"
    return replace(row, state=state, seed=seed, reason=reason, trusted=bool(head.get("trusted")))


def write_csv(found: Report, path: Path) -> None:
    """Write one line per student: total, state, time, and a column per answer."""
    head = ["student", "score", "max_score", "state", "submitted_at", "seed"]
    with opened(path) as file:
        writer = csv.writer(file)
        writer.writerow([*head, *found.answers, "remark"])
        for row in found.rows:
            points = found.by_answer(row).values()
            when = row.submitted_at.isoformat() if row.submitted_at else ""
            score, seed = plain(row.score), plain(row.seed)
            fixed = [row.student, score, row.max_score, row.state, when, seed]
            writer.writerow([*fixed, *map(plain, points), row.remark])


def write_json(found: Report, path: Path) -> None:
    """Write every student's every cell with its score and its maximum."""
    students: list[dict[str, Any]] = [
        {
            "student": row.student,
            "state": row.state,
            "submitted_at": row.submitted_at.isoformat() if row.submitted_at else None,
            "score": row.score,
            "max_score": row.max_score,
            "needs_manual_grade": row.needs_manual_grade,
            "seed": row.seed,
            "reason": row.reason,
            "trusted": row.trusted,
            "answers": found.by_answer(row),
            "cells": [cell.__dict__ for cell in row.cells],
        }
        for row in found.rows
    ]
    content = {"assignment": found.assignment, "answers": found.answers, "students": students}
    with opened(path) as file:
        json.dump(content, file, indent=2)
        file.write("\n")


def plain(points: float | None) -> float | str:
    """Return points for a table: what there is none of is empty, not zero."""
    return "" if points is None else points


def opened(path: Path) -> Any:
    """Open a file to write a table into; CourseError if that is not possible."""
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CourseError(
            f"{path} cannot be written: {error.strerror}. Name a file in a folder that exists "
            "and that you may write to."
        ) from error
