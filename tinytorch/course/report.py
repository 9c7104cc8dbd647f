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

from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment
from sqlalchemy.exc import DatabaseError

from tinytorch.course import seeds
from tinytorch.course.project import CourseError, Project


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

    seed: what the hidden tests of the last grading drew their instances from.
    """

    student: str
    state: str
    submitted_at: datetime | None
    score: float | None
    max_score: float
    cells: list[CellGrade] = field(default_factory=list)
    seed: int | None = None

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


def is_graded(submission: SubmittedAssignment) -> bool:
    """Say whether grading this submission was finished: every test cell has its score.

    nbgrader marks whatever has not been looked at as "needs manual grade", tests too.
    """
    tests = [
        grade
        for notebook in submission.notebooks
        for grade in notebook.grades
        if grade.cell.cell_type == "code"
        and grade.name not in {cell.name for cell in notebook.notebook.solution_cells}
    ]
    return bool(tests) and all(
        grade.auto_score is not None or grade.manual_score is not None for grade in tests
    )


def is_current(project: Project, assignment: str, student: str) -> bool:
    """Say whether what was graded last is what is handed in now, by the files' times."""
    name = project.notebook(assignment).name
    executed = project.autograded / student / assignment / name
    handed_in = project.submitted / student / assignment / name
    if not handed_in.is_file():
        return False
    # A copy keeps the time at which the student saved it; ctime says when it came to be here.
    times = [s for p in handed_in.parent.rglob("*") for s in (p.stat().st_mtime, p.stat().st_ctime)]
    return executed.is_file() and executed.stat().st_mtime >= max(times)


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
    if not (project.root / "gradebook.db").is_file():
        raise CourseError(f"{project.root} has no gradebook: run `tito release {assignment}`.")
    try:
        return _read(project, assignment, order)
    except MissingEntry as error:
        raise CourseError(
            f"{assignment} has not been released: run `tito release {assignment}` first."
        ) from error
    except DatabaseError as error:
        raise CourseError(
            f"The gradebook {project.root / 'gradebook.db'} cannot be read ({error.orig}). "
            "Close what else uses it; if it is damaged, put a copy of it back."
        ) from error


def _read(project: Project, assignment: str, order: list[str]) -> Report:
    with Gradebook(project.gradebook_url) as gradebook:
        entry = gradebook.find_notebook(project.notebook(assignment).stem, assignment)
        maxima = {cell.name: float(cell.max_score) for cell in entry.grade_cells}
        names = sorted(maxima, key=lambda n: (order.index(n) if n in order else len(order), n))
        solutions = [cell.name for cell in entry.solution_cells]
        groups = {name: answer_of(name, solutions) for name in names}
        answers: dict[str, float] = {}
        for name in names:
            answers[groups[name]] = answers.get(groups[name], 0.0) + maxima[name]
        total = sum(maxima.values())
        rows = {
            submission.student_id: _row(submission, names, total)
            for submission in gradebook.assignment_submissions(assignment)
        }
    for folder in project.submitted.glob(f"*/{assignment}"):
        student = folder.parent.name
        rows.setdefault(student, Row(student, "not graded", None, None, total))
        if rows[student].cells and not is_current(project, assignment, student):
            rows[student] = replace(rows[student], state="newer hand-in not graded")
    seeded = [
        replace(rows[student], seed=seeds.recorded(project, assignment, student))
        for student in sorted(rows)
    ]
    return Report(assignment, answers, groups, seeded)


def _row(submission: SubmittedAssignment, names: list[str], total: float) -> Row:
    student, when = submission.student_id, submission.timestamp
    if not is_graded(submission):
        return Row(student, "not graded", when, None, total)
    cells = [
        CellGrade(
            grade.name,
            grade.score,
            grade.max_score,
            bool(grade.needs_manual_grade),
            grade.manual_score,
        )
        for notebook in submission.notebooks
        for grade in notebook.grades
    ]
    cells.sort(key=lambda cell: names.index(cell.grade_id))
    state = "needs reading" if any(cell.needs_manual_grade for cell in cells) else "graded"
    return Row(student, state, when, submission.score, total, cells)


def write_csv(found: Report, path: Path) -> None:
    """Write one line per student: total, state, time, and a column per answer."""
    head = ["student", "score", "max_score", "state", "submitted_at", "seed", *found.answers]
    with _opened(path) as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for row in found.rows:
            points = found.by_answer(row).values()
            when = row.submitted_at.isoformat() if row.submitted_at else ""
            score, seed = _plain(row.score), _plain(row.seed)
            fixed = [row.student, score, row.max_score, row.state, when, seed]
            writer.writerow([*fixed, *map(_plain, points)])


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
            "answers": found.by_answer(row),
            "cells": [cell.__dict__ for cell in row.cells],
        }
        for row in found.rows
    ]
    content = {"assignment": found.assignment, "answers": found.answers, "students": students}
    with _opened(path) as file:
        json.dump(content, file, indent=2)
        file.write("\n")


def _plain(points: float | None) -> float | str:
    return "" if points is None else points


def _opened(path: Path) -> Any:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CourseError(
            f"{path} cannot be written: {error.strerror}. Name a file in a folder that exists "
            "and that you may write to."
        ) from error
