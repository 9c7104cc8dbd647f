"""Points as learning platforms import them, and the audit of how they came about.

What a platform's file must look like was taken from the platform's own importer or manual, named
at each. An empty cell means that there is no grade yet; no platform takes it for a zero.
"""

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from tinytorch.course.project import Project
from tinytorch.course.records import Record, Records
from tinytorch.course.report import TRUSTED, Report, Row, opened, plain, write_csv


@dataclass(frozen=True)
class Person:
    """What the gradebook knows of a student besides the points (`nbgrader db student add`)."""

    name: str = ""
    email: str = ""
    platform_id: str = ""


def people(project: Project) -> dict[str, Person]:
    """Return everybody in the gradebook by student."""
    with Gradebook(project.gradebook_url) as gradebook:
        found = {}
        for student in gradebook.students:
            names = (student.last_name, student.first_name)
            name = ", ".join(filter(None, names))
            found[student.id] = Person(name, student.email or "", student.lms_user_id or "")
        return found


def _canvas(found: Report, persons: dict[str, Person]) -> Iterable[list[Any]]:
    # canvas-lms, lib/gradebook_importer.rb: the first header holds "Student", the second "ID";
    # "SIS User ID" and "SIS Login ID" come next if at all, and the last before the assignments is
    # "Section". A line of "Points Possible" may follow. A student is found by ID, then by SIS User
    # ID, then by SIS Login ID; a column that names no assignment of the course offers a new one.
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", found.assignment]
    yield ["Points Possible", "", "", "", "", sum(found.answers.values())]
    for row in found.rows:
        person = persons.get(row.student, Person())
        name = person.name or row.student
        yield [name, person.platform_id, "", row.student, "", plain(_points(row))]


def _moodle(found: Report, persons: dict[str, Person]) -> Iterable[list[Any]]:
    # docs.moodle.org, Grade import: UTF-8, a header, and a column that identifies the user (one of
    # username, email address, ID number) which "Map from" names in the preview; each grade column
    # is mapped to a grade item, and feedback only together with its grade: feedback without one
    # would remove the grade.
    yield ["username", "email", found.assignment, f"{found.assignment} (feedback)"]
    for row in found.rows:
        email = persons.get(row.student, Person()).email
        points = _points(row)
        yield [row.student, email, plain(points), row.remark if points is not None else ""]


def _blackboard(found: Report, persons: dict[str, Person]) -> Iterable[list[Any]]:
    # Blackboard's manual, Working Offline with Grade Data: a header, the unique Username first, and
    # every field of a comma-delimited file in quotation marks. A column without Blackboard's own
    # column ID becomes a new one, a text column of no points until its type is edited; to fill
    # an existing one, give it the header of the downloaded file: name [Total Pts: n] |id.
    most = sum(found.answers.values())
    yield ["Username", f"{found.assignment} [Total Pts: {most:g}]"]
    for row in found.rows:
        yield [row.student, plain(_points(row))]


FORMATS: dict[str, Callable[[Report, dict[str, Person]], Iterable[list[Any]]]] = {
    "canvas": _canvas,
    "moodle": _moodle,
    "blackboard": _blackboard,
}


def write(found: Report, persons: dict[str, Person], path: Path, format: str) -> None:
    """Write a class's points for a platform; "plain" is report.write_csv."""
    if format == "plain":
        write_csv(found, path)
        return
    with opened(path) as file:
        quoted = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer = quoted if format == "blackboard" else csv.writer(file)
        writer.writerows(FORMATS[format](found, persons))


def _points(row: Row) -> float | None:
    """Return what counts: with the late penalty, and nothing while an answer is unread."""
    if row.score is None or any(
        cell.needs_manual_grade and cell.manual_score is None for cell in row.cells
    ):
        return None
    return max(0.0, row.score - row.penalty)


def audit(project: Project, assignment: str, found: Report) -> list[dict[str, Any]]:
    """Return how each student's grade came about, from the records."""
    heads = {head["student"]: head for head in Records(project, assignment).heads()}
    return [_audited(row, heads.get(row.student)) for row in found.rows]


def _audited(row: Row, head: Record | None) -> dict[str, Any]:
    if head is None:
        return {"student": row.student, "state": row.state, "recorded": False, "seed": row.seed}
    cells = head.get("cells", {})
    return {
        "student": row.student,
        "state": row.state,
        "recorded": True,
        "result": head["state"],
        "reason": head.get("reason", ""),
        "score": row.score,
        "restored": head.get("restored", []),
        "timed_out": sorted(name for name, state in cells.items() if state == "hung"),
        "ended_the_process": sorted(name for name, state in cells.items() if state == "died"),
        "did_not_run": sorted(name for name, state in cells.items() if state == "not run"),
        "seed": head.get("seed"),
        "versions": head.get("versions", {}),
        "sandbox": head.get("sandbox", ""),
        "trusted": bool(head.get("trusted")),
        "host": head.get("host", ""),
        "when": head.get("when", ""),
        "handed_in": head.get("timestamp", ""),
        "seconds": head.get("seconds", {}),
        "cpu": head.get("cpu", {}),
        "release": head.get("release", ""),
        "key": head["key"],
    }


def write_audit(found: list[dict[str, Any]], path: Path) -> None:
    """Write the audit as JSON."""
    with opened(path) as file:
        json.dump(found, file, indent=2)
        file.write("\n")


def sentence(entry: dict[str, Any]) -> str:
    """Say one student's audit in a line."""
    if not entry["recorded"]:
        return "no record: graded by nbgrader, or not yet"
    said = [entry["reason"]] if entry["reason"] else []
    lists = ("restored", "timed_out", "ended_the_process", "did_not_run")
    said += [f"{n.replace('_', ' ')}: {', '.join(entry[n])}" for n in lists if entry[n]]
    versions = " ".join(f"{name} {version}" for name, version in entry["versions"].items())
    sandbox = TRUSTED if entry["trusted"] else entry["sandbox"]
    where = f"seed {entry['seed']}, {versions}, {sandbox}, {entry['host']}, {entry['when']}"
    return "; ".join([*said, where])
