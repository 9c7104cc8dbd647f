"""`tito grade`, `regrade`, `feedback` and `report`: a whole class from a terminal.

Parses and prints; the work is done by batch.py, report.py and platforms.py. Imports stand inside
the commands, as in cli.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinytorch.course import seeds, terminal
from tinytorch.course.project import CourseError, Project
from tinytorch.course.terminal import Assignment, Progress

if TYPE_CHECKING:
    from rich.console import Console

    from tinytorch.course.batch import Outcome
    from tinytorch.course.dispatch import Workers
    from tinytorch.course.report import Report

Students = Annotated[
    list[str] | None, typer.Option("--student", help="Only this student; may be given again.")
]
Count = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="Processes on this computer. Default: a quarter more than cores."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(help="A Dask scheduler's address: its cluster grades, in place of processes."),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust-submissions",
        help="Run submissions without a sandbox; every report of these grades says so.",
    ),
]


class Format(StrEnum):
    """What a CSV is for."""

    plain = "plain"
    canvas = "canvas"
    moodle = "moodle"
    blackboard = "blackboard"


def grade(
    context: typer.Context,
    assignment: Assignment,
    student: Students = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Grade again what has been graded before; points given by hand stay."
        ),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=seeds.LARGEST,
            help="What hidden tests draw their inputs from. By default the seed of a student's "
            "last grading, or a new one.",
        ),
    ] = None,
    workers: Count = None,
    scheduler: Scheduler = None,
    trust_submissions: Trust = False,
) -> None:
    """Grade everybody whose result does not stand yet; the reference first.

    Stopped or killed, the same command goes on where it was. Exit 1 if the grading of somebody
    failed; a submission that is refused is that student's zero, with the reason.
    """
    from tinytorch.course import batch

    project = _checked(context)
    again = "grades all of them again" if force else "goes on where it stopped"

    def work(follow: Progress | None) -> list[Outcome]:
        return batch.grade(
            project,
            assignment,
            student or None,
            force,
            follow,
            seed,
            trusted=trust_submissions,
            workers=_workers(workers, scheduler),
        )

    _graded(work, again)


def regrade(
    context: typer.Context,
    assignment: Assignment,
    since_release: Annotated[
        bool,
        typer.Option(
            "--since-release", help="Only who was graded by another release than the present one."
        ),
    ] = False,
    workers: Count = None,
    scheduler: Scheduler = None,
    trust_submissions: Trust = False,
) -> None:
    """Grade again who has been graded, each with the seed of the last time."""
    from tinytorch.course import batch

    project = _checked(context)
    again = "goes on where it stopped" if since_release else "grades all of them again"

    def work(follow: Progress | None) -> list[Outcome]:
        return batch.regrade(
            project,
            assignment,
            since_release,
            on_progress=follow,
            trusted=trust_submissions,
            workers=_workers(workers, scheduler),
        )

    if not _graded(work, again):
        print("everybody's result is of the present release")


def _workers(count: int | None, scheduler: str | None) -> Workers | None:
    from tinytorch.course import dispatch

    if scheduler and count:
        raise CourseError("--workers is for this computer; a scheduler knows its own workers.")
    if scheduler:
        return dispatch.cluster(scheduler)
    return dispatch.pool(count) if count else None


def _checked(context: typer.Context) -> Project:
    from tinytorch.course.build import build as build_check

    project: Project = context.obj()
    for path in build_check(project, check=True):
        print(f"note: {shown(path, project)} is older than the lesson; grading goes by it")
    return project


def _graded(work: Callable[[Progress | None], list[Outcome]], again: str) -> list[Outcome]:
    """Run a grading, print its outcomes; CourseError if one failed."""
    from tinytorch.course import batch

    console = terminal.console()
    try:
        with terminal.progress(console, "grading") as follow:
            outcomes = work(follow)
    except batch.Stopped as stop:
        print_outcomes(console, stop.outcomes)
        print(f"stopped; these are done, and the same command {again}", file=sys.stderr)
        raise typer.Exit(130) from None
    print_outcomes(console, outcomes)
    refused = [outcome.student for outcome in outcomes if outcome.state == "refused"]
    if refused:
        print(f"{len(refused)} of {len(outcomes)} were refused: {', '.join(refused)}")
    failed = [outcome.student for outcome in outcomes if outcome.state == "failed"]
    if failed:
        raise CourseError(
            f"{len(failed)} of {len(outcomes)} could not be graded: {', '.join(failed)}. "
            "The other grades are kept; put these right and run the command again."
        )
    return outcomes


def feedback(
    context: typer.Context,
    assignment: Assignment,
    show_hidden: Annotated[
        bool, typer.Option("--show-hidden", help="With the source of the hidden tests.")
    ] = False,
    student: Annotated[
        list[str] | None, typer.Option(help="Only this student; may be given again.")
    ] = None,
) -> None:
    """Write a page per graded student, with points, comments and a sentence per lost point."""
    from tinytorch.course import feedback_pages
    from tinytorch.course import report as reports

    project, console = context.obj(), terminal.console()
    with terminal.progress(console, "feedback") as follow:
        outcomes = feedback_pages.feedback(
            project, assignment, follow, show_hidden, students=student
        )
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    print(f"{len(outcomes) - len(failed)} pages below {shown(project.feedback, project)}")
    rows = reports.report(project, assignment).rows
    unread = [row for row in rows if row.needs_manual_grade]
    if unread:
        print(
            f"{len(unread)} students have answers that nobody has read; their pages show 0 for "
            "these. Read them in formgrader, then run this again."
        )
    if failed:
        reasons = "; ".join(f"{outcome.student}: {outcome.message}" for outcome in failed)
        raise CourseError(f"{len(failed)} pages could not be written: {reasons}")


def report(
    context: typer.Context,
    assignment: Assignment,
    csv: Annotated[
        Path | None,
        typer.Option(help="Write points per answer to this file; empty means not read yet."),
    ] = None,
    format: Annotated[
        Format, typer.Option(help="What the CSV is for: a platform's import, or plain.")
    ] = Format.plain,
    json: Annotated[Path | None, typer.Option(help="Write every cell's points here.")] = None,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit",
            help="How each grade came about: what was restored, refused, timed out; seed, "
            "versions, sandbox, host. With --json, that is written there.",
        ),
    ] = False,
) -> None:
    """Show every student's points."""
    from tinytorch.course import platforms
    from tinytorch.course import report as reports

    project, console = context.obj(), terminal.console()
    found = reports.report(project, assignment)
    audited = platforms.audit(project, assignment, found) if audit else []
    if csv:
        persons = platforms.people(project) if format is not Format.plain else {}
        platforms.write(found, persons, csv, format.value)
    if json and audit:
        platforms.write_audit(audited, json)
    elif json:
        reports.write_json(found, json)
    if audit:
        _print_audit(console, audited)
    else:
        print_report(console, found)
    print_trusted(found)
    for path in filter(None, (csv, json)):
        print(f"written to {path}")


def shown(path: Path, project: Project) -> Path:
    """Return a path as a person wants to read it."""
    return path.relative_to(project.root) if path.is_relative_to(project.root) else path


def print_outcomes(
    console: Console, outcomes: list[Outcome], about: dict[str, str] | None = None
) -> None:
    """Print one line a student."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in ("student", "state"):
        table.add_column(head)
    table.add_column("points", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("", overflow="fold")
    for outcome in outcomes:
        points = "" if outcome.score is None else f"{outcome.score:g}/{outcome.max_score:g}"
        remark = " ".join(filter(None, ((about or {}).get(outcome.student), outcome.message)))
        cells = (outcome.student, outcome.state, points, f"{outcome.seconds:.1f}", remark)
        table.add_row(*map(escape, cells))
    console.print(table)


def print_report(console: Console, found: Report) -> None:
    """Print a class; answers are numbered columns, so that the table fits a terminal."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in ("student", "state"):
        table.add_column(head)
    for head in ("points", *(str(number) for number in range(1, len(found.answers) + 1))):
        table.add_column(head, justify="right", no_wrap=True)
    for row in found.rows:
        total = "-" if row.score is None else f"{row.score:g}/{row.max_score:g}"
        points = ["-" if p is None else f"{p:g}" for p in found.by_answer(row).values()]
        table.add_row(escape(row.student), row.state, total, *points)
    console.print(table)
    legend = [f"{n} {name} ({most:g})" for n, (name, most) in enumerate(found.answers.items(), 1)]
    console.print("\n" + ", ".join(legend), style="dim")
    for row in found.rows:
        if row.reason:
            console.print(f"{row.student}: {row.reason}", markup=False)


def _print_audit(console: Console, audited: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from tinytorch.course.platforms import sentence

    table = Table(box=None, pad_edge=False)
    for head in ("student", "state"):
        table.add_column(head)
    table.add_column("how it came about", overflow="fold")
    for entry in audited:
        table.add_row(escape(entry["student"]), entry["state"], escape(sentence(entry)))
    console.print(table)


def print_trusted(found: Report) -> None:
    """Say whose grades rest on trust alone."""
    trusted = [row.student for row in found.rows if row.trusted]
    if trusted:
        print(
            f"--trust-submissions: {len(trusted)} of {len(found.rows)} were graded without a "
            f"sandbox ({', '.join(trusted[:5])}{', ...' if len(trusted) > 5 else ''})"
        )
