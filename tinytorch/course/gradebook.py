"""The one writer of grades: merges records into nbgrader's gradebook, a batch in a transaction.

What it leaves behind is what nbgrader's OverwriteCells, KeepReading and AssignLatePenalties leave:
points by hand and comments by hand are never written to. A table of its own in the same database
says which record each submission's grades come from, so that a lost or older gradebook is noticed.
"""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Self

import sqlalchemy as sql
from nbgrader import api, utils
from nbgrader.api import Comment, Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError, SAWarning

from tinytorch.course.graded_files import (
    Executed,
    Placed,
    executed_of,
    former_texts,
    is_test_cell,
    place,
)
from tinytorch.course.isolation import named_cells, read_source
from tinytorch.course.project import CourseError, Project
from tinytorch.course.records import Record
from tinytorch.course.reference import released_cells

_MERGED = sql.Table(
    "tinytorch_merged",
    sql.MetaData(),
    sql.Column("submission_id", sql.String(32), primary_key=True),
    sql.Column("record_key", sql.String(64), nullable=False),
    sql.Column("state", sql.String(16), nullable=False),  # of the record that the grades are from
    sql.Column("complete", sql.Boolean, nullable=False),  # the files in `autograded` are there
)
_ATTEMPTS = 6  # at a gradebook that another program keeps locked, five seconds each


@dataclass(frozen=True)
class Standing:
    """What the gradebook has of a student: `key` is the record's that it comes from, or None."""

    key: str | None
    graded: bool
    score: float


@dataclass
class _Entry:
    """One student's rows while a batch is merged."""

    id: str
    notebook_id: str
    timestamp: datetime | None
    extension: Any
    merged_state: str | None
    grades: dict[str, Any] = field(default_factory=dict)  # rows by the cell's name
    comments: dict[str, str] = field(default_factory=dict)  # ids by the cell's name


@dataclass
class _Changes:
    """What a batch writes, as parameters of one statement each."""

    grades: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    times: list[dict[str, Any]] = field(default_factory=list)
    penalties: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    files: list[Placed] = field(default_factory=list)


class Merger:
    """The gradebook, opened for the grades of one assignment's notebook."""

    def __init__(self, project: Project, assignment: str) -> None:
        self.project, self.assignment = project, assignment
        self.notebook = project.notebook(assignment).stem
        released = released_cells(project.gradebook_url, assignment, self.notebook)
        order = list(named_cells(read_source(project, assignment)))
        self.released = {name: released[name] for name in order if name in released} | released
        self.late = AssignLatePenalties(config=project.nbgrader_config())
        self.late.init_plugin()

    def __enter__(self) -> Self:
        self.book = Gradebook(self.project.gradebook_url)
        _MERGED.create(self.book.engine, checkfirst=True)
        entry = self.book.find_assignment(self.assignment)
        self.assignment_id, self.duedate = entry.id, entry.duedate
        self.cells = {notebook.id: _cells_of(notebook) for notebook in entry.notebooks}
        self.notebook_id = next(n.id for n in entry.notebooks if n.name == self.notebook)
        self.max_score = sum(float(c.points) for c in self.released.values() if c.points)
        self.book.db.remove()
        return self

    def __exit__(self, *_: object) -> None:
        self.book.close()

    def standings(self) -> dict[str, Standing]:
        """Return what the gradebook has of the class, in three statements whatever its size."""
        tests = [cell for name, cell in self.cells[self.notebook_id].graded.items()
                 if is_test_cell(self.released[name])]  # fmt: skip
        open_ = (Grade.auto_score.is_(None)) & (Grade.manual_score.is_(None))
        missing = sql.func.sum(sql.case((open_ & Grade.cell_id.in_(tests), 1), else_=0))
        query = (
            sql.select(
                SubmittedAssignment.student_id,
                sql.func.max(_MERGED.c.record_key),
                sql.func.count(Grade.id),
                missing,
                sql.func.sum(Grade.score),
            )
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .join(
                _MERGED,
                (_MERGED.c.submission_id == SubmittedAssignment.id) & _MERGED.c.complete,
                isouter=True,
            )
            .where(SubmittedAssignment.assignment_id == self.assignment_id)
            .group_by(SubmittedAssignment.student_id)
        )
        with self.book.engine.connect() as db:
            return {
                student: Standing(key, bool(count) and not lacking, float(score or 0.0))
                for student, key, count, lacking, score in db.execute(query)
            }

    def merge(self, records: Sequence[Record]) -> dict[str, float]:
        """Merge a batch (one record a student); return the students' scores.

        A refused submission is a zero, unless the student has a grade from an earlier hand-in: that
        one stays. Raises CourseError if the gradebook stays locked; the records are not lost.
        """
        if not records:
            return {}
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._merge(records)
            except OperationalError as error:
                if "locked" not in str(error).lower() or attempt == _ATTEMPTS:
                    raise CourseError(
                        f"The gradebook could not be written to ({error.orig}). The results are "
                        "kept beside it: close what else uses it, and give the same command again."
                    ) from error
                time.sleep(0.1)  # SQLite itself has waited for five seconds
        raise AssertionError("unreachable")

    def _merge(self, records: Sequence[Record]) -> dict[str, float]:
        changes, scores = _Changes(), {}
        with warnings.catch_warnings(), self.book.engine.begin() as db:
            warnings.simplefilter("ignore", SAWarning)
            if db.dialect.name == "sqlite":
                db.exec_driver_sql("BEGIN IMMEDIATE")  # what is read now is still so when written
            entries = self._entries(db, [record["student"] for record in records])
            for record in records:
                student = record["student"]
                scores[student] = self._decide(record, entries[student], changes)
            _write(db, changes)
        # The grades stand. A kill from here on leaves `complete` false, and the merge is repeated.
        for placed in changes.files:
            place(self.project, placed)
        with self.book.engine.begin() as db:
            ids = [mark["submission_id"] for mark in changes.marks]
            done = sql.update(_MERGED).where(_MERGED.c.submission_id.in_(ids))
            db.execute(done.values(complete=True))
        return scores

    # Rows

    def _entries(self, db: Connection, students: list[str]) -> dict[str, _Entry]:
        """Return everybody's rows; make those that are not there yet, as nbgrader would."""
        found = self._load(db, students)
        new = [student for student in students if student not in found]
        if new:
            known = set(db.scalars(sql.select(api.Student.id).where(api.Student.id.in_(new))))
            _insert(db, api.Student, [{"id": student} for student in new if student not in known])
            rows = [{"id": api.new_uuid(), "assignment_id": self.assignment_id,
                     "student_id": student} for student in new]  # fmt: skip
            _insert(db, SubmittedAssignment, rows)
            notebooks = [{"id": api.new_uuid(), "notebook_id": notebook_id,
                          "assignment_id": row["id"], "flagged": False}
                         for row in rows for notebook_id in self.cells]  # fmt: skip
            _insert(db, SubmittedNotebook, notebooks)
            none: set[str] = set()
            made = [(row["notebook_id"], row["id"], none, none) for row in notebooks]
            self._add_cells(db, made)
            found |= self._load(db, new)
        # Of cells that a later release added, earlier submissions have no rows yet.
        if self._add_cells(
            db,
            [
                (self.notebook_id, entry.notebook_id, set(entry.grades), set(entry.comments))
                for entry in found.values()
            ],
        ):
            found = self._load(db, students)
        return found

    def _add_cells(
        self, db: Connection, notebooks: list[tuple[str, str, set[str], set[str]]]
    ) -> bool:
        """Make the rows of cells that have none; `notebooks` holds which have some."""
        grades, comments = [], []
        for source, notebook, graded, commented in notebooks:
            for name, cell in self.cells[source].graded.items():
                row = {"id": api.new_uuid(), "cell_id": cell, "notebook_id": notebook}
                if name not in graded:
                    grades.append(row | {"needs_manual_grade": True})
            for name, cell in self.cells[source].commented.items():
                row = {"id": api.new_uuid(), "cell_id": cell, "notebook_id": notebook}
                if name not in commented:
                    comments.append(row)
        _insert(db, Grade, grades)
        _insert(db, Comment, comments)
        return bool(grades or comments)

    def _load(self, db: Connection, students: list[str]) -> dict[str, _Entry]:
        submission, notebook = SubmittedAssignment.__table__, SubmittedNotebook.__table__
        query = (
            sql.select(submission.c.student_id, submission.c.id, notebook.c.id,
                       submission.c.timestamp, submission.c.extension, _MERGED.c.state)
            .join(notebook, notebook.c.assignment_id == submission.c.id)
            .join(_MERGED, _MERGED.c.submission_id == submission.c.id, isouter=True)
            .where(submission.c.assignment_id == self.assignment_id,
                   submission.c.student_id.in_(students),
                   notebook.c.notebook_id == self.notebook_id)
        )  # fmt: skip
        found = {row[0]: _Entry(*row[1:]) for row in db.execute(query)}
        by_notebook = {entry.notebook_id: entry for entry in found.values()}
        cells = self.cells[self.notebook_id]
        graded = {cell: name for name, cell in cells.graded.items()}
        commented = {cell: name for name, cell in cells.commented.items()}
        for table, names in ((Grade.__table__, graded), (Comment.__table__, commented)):
            rows = sql.select(table).where(table.c.notebook_id.in_(by_notebook)).with_for_update()
            for row in db.execute(rows):
                entry = by_notebook[row.notebook_id]
                if row.cell_id in names and table is Grade.__table__:
                    entry.grades[names[row.cell_id]] = row
                elif row.cell_id in names:
                    entry.comments[names[row.cell_id]] = row.id
        return found

    # Decisions

    def _decide(self, record: Record, entry: _Entry, changes: _Changes) -> float:
        """Note what one record changes; return the student's score."""
        refused = record["state"] == "refused"
        earlier = refused and entry.merged_state != "refused" and self._is_graded(entry)
        state = (entry.merged_state or "graded") if earlier else record["state"]
        changes.marks.append({"submission_id": entry.id, "record_key": record["key"],
                              "state": state, "complete": False})  # fmt: skip
        if earlier:
            return sum(map(_score, entry.grades.values()))
        executed = executed_of(record, self.released)
        texts = {} if refused else executed.digests()
        former = former_texts(self.project, self.assignment, self.notebook, record["student"])
        autos = dict.fromkeys(entry.grades, 0.0) if refused else self._autos(record, executed)
        score = 0.0
        for name, row in entry.grades.items():
            if name in autos:
                same = former.get(name) == texts[name] if name in texts else None
                row = _graded(row, autos[name], same)
                changes.grades.append({"b_id": row.id, "auto_score": row.auto_score,
                                       "needs_manual_grade": row.needs_manual_grade})  # fmt: skip
            score += _score(row)
        changes.comments += self._comments(entry, executed)
        self._late(record, entry, score, changes)
        changes.files.append(Placed(record, self.notebook, executed.text, texts))
        return score

    def _is_graded(self, entry: _Entry) -> bool:
        tests = [row for name, row in entry.grades.items() if is_test_cell(self.released[name])]
        return bool(tests) and all(
            row.auto_score is not None or row.manual_score is not None for row in tests
        )

    def _autos(self, record: Record, executed: Executed) -> dict[str, float | None]:
        """Return what each graded cell earned by itself; None waits for a reader."""
        found: dict[str, float | None] = {}
        for name, cell in self.released.items():
            if cell.points is None or cell.task:
                continue
            if is_test_cell(cell):
                score = record["scores"].get(name, [0.0])[0]
                found[name] = min(max(float(score), 0.0), cell.points)
            elif name in executed.answers:
                found[name] = utils.determine_grade(executed.answers[name])[0]
        return found

    def _comments(self, entry: _Entry, executed: Executed) -> list[dict[str, Any]]:
        """Say of each answer whether there is one, in nbgrader's words."""
        rows = []
        for name, cell in executed.answers.items():
            if name in entry.comments:
                untouched = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
                said = "No response." if untouched and not utils.is_task(cell) else None
                rows.append({"b_id": entry.comments[name], "auto_comment": said})
        return rows

    def _late(self, record: Record, entry: _Entry, score: float, changes: _Changes) -> None:
        """Note the time of the hand-in and, as AssignLatePenalties would, what being late costs."""
        when = utils.parse_utc(record.get("timestamp") or None)
        if when is not None:
            changes.times.append({"b_id": entry.id, "timestamp": when})
        when, due, penalty = when or entry.timestamp, self.duedate, None
        if due is not None and entry.extension is not None:
            due += entry.extension
        late = max(0.0, (when - due).total_seconds()) if when and due else 0.0
        if late > 0:
            asked = self.late.plugin_inst.late_submission_penalty(record["student"], score, late)
            if asked is not None:
                penalty = self.late._check_late_penalty(SimpleNamespace(score=score), asked)
        changes.penalties.append({"b_id": entry.notebook_id, "late_submission_penalty": penalty})


@dataclass(frozen=True)
class _Cells:
    """Ids of a notebook's cells by name."""

    graded: dict[str, str]
    commented: dict[str, str]


def _cells_of(notebook: api.Notebook) -> _Cells:
    tasks = {cell.name: cell.id for cell in notebook.task_cells}
    graded = {cell.name: cell.id for cell in notebook.grade_cells}
    commented = {cell.name: cell.id for cell in notebook.solution_cells}
    return _Cells(graded | tasks, commented | tasks)


def _graded(row: Any, auto: float | None, same_text: bool | None) -> SimpleNamespace:
    """Return a grade as KeepReading would leave it; same_text is None for what has no text."""
    decided = row.manual_score is not None and not row.needs_manual_grade
    same = row.auto_score == auto if same_text is None else same_text
    needs = row.manual_score is not None or auto is None
    return SimpleNamespace(
        id=row.id,
        auto_score=auto,
        manual_score=row.manual_score,
        extra_credit=row.extra_credit,
        needs_manual_grade=needs and not (decided and same),
    )


def _score(grade: Any) -> float:
    """Return a grade's points as nbgrader adds them up."""
    points = grade.auto_score if grade.manual_score is None else grade.manual_score
    return 0.0 if points is None else points + (grade.extra_credit or 0.0)


def _insert(db: Connection, entity: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.execute(sql.insert(entity.__table__), rows)


def _write(db: Connection, changes: _Changes) -> None:
    """Write a batch: one statement a table, whatever the number of students."""
    updates = (
        (Grade, changes.grades),
        (Comment, changes.comments),
        (SubmittedAssignment, changes.times),
        (SubmittedNotebook, changes.penalties),
    )
    for entity, rows in updates:
        if rows:
            table = entity.__table__
            columns: dict[str, Any] = {
                name: sql.bindparam(name) for name in rows[0] if name != "b_id"
            }
            query = sql.update(table).where(table.c.id == sql.bindparam("b_id")).values(columns)
            db.execute(query, rows)
    ids = [mark["submission_id"] for mark in changes.marks]
    db.execute(sql.delete(_MERGED).where(_MERGED.c.submission_id.in_(ids)))
    db.execute(sql.insert(_MERGED), changes.marks)
