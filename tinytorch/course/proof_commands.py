"""`tito validate-tests` and `tito mutate`: whether the tests tell right from wrong.

Parses and prints; the entries are run by trial.py, judged by verdicts.py, and the reference is
changed by mutants.py. Imports stand inside the commands, as in cli.
"""

import json as json_format
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinytorch.course import terminal
from tinytorch.course.project import CourseError
from tinytorch.course.terminal import Assignment

if TYPE_CHECKING:
    from rich.console import Console

    from tinytorch.course.corpus import Entry
    from tinytorch.course.mutants import Report
    from tinytorch.course.trial import Lesson, Tried
    from tinytorch.course.verdicts import Finding

Only = Annotated[list[str] | None, typer.Option(help="Only this answer; may be given again.")]
Workers = Annotated[
    int | None,
    typer.Option(help="Processes. Default: one more than there are cores.", min=1),
]
Seed = Annotated[int | None, typer.Option(help="What hidden tests draw their inputs from.")]


def validate_tests(
    context: typer.Context,
    assignment: Assignment = "11_kernels",
    corpus: Annotated[
        Path | None,
        typer.Option(help="The folder of entries. Default: tests/submissions/corpus."),
    ] = None,
    only: Only = None,
    workers: Workers = None,
    seed: Seed = None,
    json: Annotated[Path | None, typer.Option(help="Write all outcomes to this file.")] = None,
    repeat: Annotated[
        int, typer.Option(help="Run everything so often; the scores must be the same.", min=1)
    ] = 1,
    vary_seed: Annotated[
        bool, typer.Option("--vary-seed", help="Each repeat uses the next higher seed.")
    ] = False,
    judged: Annotated[
        bool,
        typer.Option("--judged", help="By judges in sandboxes as well; both must score alike."),
    ] = False,
) -> None:
    """Score the corpus of right and wrong answers; exit 1 if the tests mistake any of them."""
    from tinytorch.course import corpus as corpora
    from tinytorch.course import trial, verdicts

    project, console = context.obj(), terminal.console()
    lesson = trial.read_trial_lesson(project, assignment)
    folder = corpus or corpora.corpus_folder(project)
    entries = corpora.read_corpus(folder, lesson.graded(), only)
    tries = [trial.Try(verdicts.name_of(e), e.answer, e.source, e.before, e.after) for e in entries]
    runs, seconds = [], []
    for number in range(repeat):
        started = time.perf_counter()
        drawn = (seed or 0) + number if vary_seed else seed
        what = "trying" if repeat == 1 else f"run {number + 1} of {repeat},"
        with terminal.progress(console, what) as follow:
            runs.append(
                trial.run_trials(
                    project, assignment, tries, workers=workers, seed=drawn, on_progress=follow
                )
            )
        seconds.append(time.perf_counter() - started)
        if repeat > 1:  # said at once: a long series may be ended early
            unlike = [f.entry for f in verdicts.unstable(entries, [runs[0], runs[-1]])]
            said = f"run {number + 1}: {seconds[-1]:.0f} s, {len(unlike)} entries unlike the first"
            console.print(" ".join([said, *unlike]), markup=False, soft_wrap=True)
    tried = runs[0]
    findings = [
        f for e, t in zip(entries, tried, strict=True) for f in verdicts.judge(lesson, e, t)
    ]
    findings += verdicts.unstable(entries, runs)
    if judged:
        from tinytorch.course.judged_trial import run_judged_trials

        started = time.perf_counter()
        with terminal.progress(console, "judging") as follow:
            others = run_judged_trials(project, assignment, tries, workers, seed, follow)
        findings += verdicts.unlike(lesson, entries, tried, others)
        each = (time.perf_counter() - started) / len(tries)
        console.print(f"judged in sandboxes           {len(others)}, {each:.2f} s each")
    _print_tables(console, lesson, entries, tried, findings)
    _print_summary(console, entries, tried, findings, seconds)
    if json:
        text = json_format.dumps(_told(lesson, entries, tried, findings, seconds), indent=2)
        json.write_text(text + "\n", encoding="utf-8")
        console.print(f"written to {json}", markup=False)
    _fail_on(console, findings)


def _fail_on(console: "Console", findings: "list[Finding]") -> None:
    for finding in findings:
        console.print(str(finding), markup=False, soft_wrap=True)
    if findings:
        raise CourseError(f"{len(findings)} findings: the tests do not tell right from wrong.")


def _print_tables(
    console: "Console",
    lesson: "Lesson",
    entries: "list[Entry]",
    tried: "list[Tried]",
    findings: "list[Finding]",
) -> None:
    """Per answer its entries by its test cells: points, `+` lost undeclared, `!` kept wrongly."""
    from rich.markup import escape
    from rich.table import Table

    from tinytorch.course import verdicts

    kinds: dict[str, dict[str, None]] = {}
    for finding in findings:
        kinds.setdefault(finding.entry, {})[finding.kind] = None
    for answer in dict.fromkeys(entry.answer for entry in entries):
        tests = lesson.tests_of(answer)
        table = Table(box=None, pad_edge=False, title=escape(answer), title_justify="left")
        table.add_column("entry", max_width=42, overflow="fold")
        for test in tests:
            table.add_column(escape(verdicts.behaviour_of(test)[:9]), justify="right")
        table.add_column("s", justify="right")
        table.add_column("", overflow="fold")
        for entry, one in zip(entries, tried, strict=True):
            if entry.answer != answer:
                continue
            points = []
            for test in tests:
                lost, due = verdicts.is_lost(test, one), verdicts.behaviour_of(test) in entry.loses
                mark = "+" if lost and not due else "!" if due and not lost else " "
                points.append(f"{0 if lost else test.points:g}{mark}")
            kind = "wrong" if entry.wrong else "right"
            remarks = ", ".join(kinds.get(verdicts.name_of(entry), {}))
            row = (f"{kind}  {entry.slug}", *points, f"{one.seconds:.1f}", remarks)
            table.add_row(*map(escape, row))
        console.print(table)
        console.print()
    console.print("Points per test cell; 0+ lost though not declared, 4! kept though declared.")


def _print_summary(
    console: "Console",
    entries: "list[Entry]",
    tried: "list[Tried]",
    findings: "list[Finding]",
    seconds: list[float],
) -> None:
    counts = _counts(entries, findings)
    each = sum(one.seconds for one in tried) / len(tried)
    lines = [
        f"wrong answers caught          {counts['caught']} of {counts['wrong']}",
        f"right answers with full marks {counts['full']} of {counts['right']}",
        f"answers that cost others      {counts['spills']}",
        f"losses kept though declared   {counts['mismatches']}",
        f"losses without a cause        {counts['unexplained']}",
        f"time                          {sum(seconds):.0f} s, {each:.2f} s per entry",
    ]
    if len(seconds) > 1:
        lines.append(
            f"runs                          {len(seconds)}, not alike: {counts['unstable']}"
        )
    console.print("\n".join(lines), markup=False)


def _counts(entries: "list[Entry]", findings: "list[Finding]") -> dict[str, int]:
    from tinytorch.course import verdicts as v

    def having(kind: str) -> int:
        return len({finding.entry for finding in findings if finding.kind == kind})

    wrong = sum(entry.wrong for entry in entries)
    right = len(entries) - wrong
    return {
        "wrong": wrong,
        "caught": wrong - having(v.ESCAPE),
        "right": right,
        "full": right - having(v.FALSE_ALARM),
        "spills": having(v.SPILL),
        "mismatches": sum(finding.kind == v.MISMATCH for finding in findings),
        "unexplained": sum(finding.kind == v.UNEXPLAINED for finding in findings),
        "unstable": having(v.UNSTABLE),
    }


def _told(
    lesson: "Lesson",
    entries: "list[Entry]",
    tried: "list[Tried]",
    findings: "list[Finding]",
    seconds: list[float],
) -> dict[str, Any]:
    from dataclasses import asdict

    from tinytorch.course import verdicts

    def cell(outcome: Any) -> dict[str, Any]:
        points = lesson.tests[outcome.label].points if outcome.label in lesson.tests else 0
        return asdict(outcome) | {"score": points if outcome.passed else 0.0, "points": points}

    return {
        "summary": _counts(entries, findings),
        "seconds": seconds,
        "findings": [asdict(finding) for finding in findings],
        "entries": [
            {
                "entry": verdicts.name_of(entry),
                "wrong": entry.wrong,
                "about": entry.about,
                "loses": entry.loses,
                "seconds": one.seconds,
                "tests": {name: cell(outcome) for name, outcome in one.tests.items()},
                "broken": [asdict(outcome) for outcome in one.broken],
            }
            for entry, one in zip(entries, tried, strict=True)
        ],
    }


def mutate(
    context: typer.Context,
    assignment: Assignment = "11_kernels",
    only: Only = None,
    workers: Workers = None,
    seed: Seed = None,
    explained: Annotated[
        Path | None,
        typer.Option(help="Default: tests/submissions/mutants_explained.toml."),
    ] = None,
) -> None:
    """Change the reference in small ways; exit 1 if a change is neither noticed nor explained."""
    from tinytorch.course import mutants

    project, console = context.obj(), terminal.console()
    reasons = mutants.read_reasons(explained or mutants.reasons_file(project))
    started = time.perf_counter()
    with terminal.progress(console, "mutants") as follow:
        report = mutants.run_mutants(
            project, assignment, reasons, only=only, workers=workers, seed=seed, on_progress=follow
        )
    _print_mutants(console, report, time.perf_counter() - started)
    if report.unexplained or report.stale:
        raise CourseError(
            f"{len(report.unexplained)} changes that no test notices and nobody explains, "
            f"{len(report.stale)} explanations that fit no surviving change."
        )


def _print_mutants(console: "Console", report: "Report", seconds: float) -> None:
    from rich.table import Table

    for mutant in report.unexplained:
        console.print(f"{mutant.answer}: {mutant.operator}", markup=False)
        console.print(mutant.diff + "\n", markup=False, soft_wrap=True)
    for reason in report.stale:
        console.print(f"stale: {reason}", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    table.add_column("answer")
    for head in ("mutants", "killed", "explained", "survived", "killed %", "of what can be"):
        table.add_column(head, justify="right")
    for name, row in report.rows().items():
        shares = [100 * row[1] / max(1, row[0] - explained) for explained in (0, row[2])]
        table.add_row(name, *(str(number) for number in row), *(f"{s:.1f}" for s in shares))
    console.print(table)
    console.print(f"{seconds:.0f} s")
