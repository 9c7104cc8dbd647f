"""`tito`: what an instructor types. Parses, calls the course's other modules, prints.

Nothing is computed here. Imports stand inside the commands, so that `tito --help` is quick.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinytorch.course import class_commands, lab_commands, proof_commands, terminal
from tinytorch.course.project import CourseError, Project
from tinytorch.course.terminal import Assignment

if TYPE_CHECKING:
    from rich.console import Console

    from tinytorch.course.reference import CellScore

app = typer.Typer(
    help="Build, release and grade the TinyTorch course.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
NO_SANDBOX = (
    "There is no sandbox on this computer. The demo's own class is in this repository and was "
    "trusted; `tito grade` refuses here what others hand in."
)
_root: Path | None = None


def main() -> None:
    """Run tito; a CourseError is one message and exit code 1, never a traceback."""
    try:
        app()
    except CourseError as error:
        _fail(str(error))
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)[:200]
        _fail(f"{what}. Look at the permissions and at the free space there.")


def _fail(message: str) -> None:
    print(f"tito: {message}", file=sys.stderr)
    sys.exit(1)


@app.callback()
def _common(
    context: typer.Context,
    root: Annotated[
        Path | None,
        typer.Option(
            help="The course folder, named before the command. Default: the one around the "
            "working directory."
        ),
    ] = None,
) -> None:
    global _root
    _root = root
    context.obj = _project  # for the commands that stand in modules of their own


def _project() -> Project:
    if _root is None:
        return Project.find()
    found = Project.find(_root)
    if found.root != _root.resolve():
        raise CourseError(f"{_root} is not a course folder: it lacks nbgrader_config.py.")
    return found


@app.command()
def build(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 and name what is stale.")
    ] = False,
) -> None:
    """Make the notebook and the exported module from the lesson's .py."""
    from tinytorch.course.build import build as run

    project = _project()
    changed = run(project, check=check)
    for path in changed:
        print(f"{'stale' if check else 'made'}  {class_commands.shown(path, project)}")
    if not changed:
        print("everything is as new as the lesson")
    if check and changed:
        raise CourseError("Run `tito build`, and `tito release` for what has been released.")


@app.command()
def release(assignment: Assignment) -> None:
    """Build, test the reference, cut the solutions out, check for leaks, pack the student kit."""
    from tinytorch.course.build import build as run_build
    from tinytorch.course.reference import check_reference
    from tinytorch.course.release import release as run

    project = _project()
    project.assignment(assignment)
    run_build(project)
    with terminal.console().status(f"testing the reference of {assignment}"):
        check_reference(project, assignment)
    with terminal.console().status(f"releasing {assignment}"):
        done = run(project, assignment)
    print(
        f"{done.answer_cells} answers, {done.test_cells} test cells, {done.points:g} points "
        "by tests"
    )
    print(f"notebook  {class_commands.shown(done.notebook, project)}")
    print(f"kit       {class_commands.shown(done.kit, project)}")


@app.command()
def export(
    notebook: Annotated[Path, typer.Argument(help="A student's notebook.")],
    to: Annotated[
        Path, typer.Option(help="The package to export into: the student's tinytorch folder.")
    ] = Path("tinytorch"),
) -> None:
    """Export a student's notebook into their own package, as core/kernels.py."""
    from tinytorch.course.export import export_notebook

    if (to / "course").is_dir():
        raise CourseError(
            f"{to} is the course's own package: its kernels.py is made by `tito build`. "
            "Name the student's tinytorch folder with --to."
        )
    print(f"exported to {export_notebook(notebook, to)}")


@app.command()
def test(
    assignment: Annotated[
        str | None, typer.Argument(help="The assignment. Default: all of them.")
    ] = None,
) -> None:
    """Grade the reference (full marks) and the untouched release (none), without a gradebook."""
    from tinytorch.course import reference
    from tinytorch.course.build import build as run_build

    project, console = _project(), terminal.console()
    names = [assignment] if assignment else project.assignments()
    for name in names:
        project.assignment(name)
    run_build(project)
    wrong = 0
    for name in names:
        with console.status(f"grading the reference of {name}"):
            notebook = reference.read_source(project, name)
            full = reference.score_notebook(project, name, notebook, trusted=True)
        with console.status(f"grading the untouched release of {name}"):
            stubs = reference.untouched(project, name)
            none = reference.score_notebook(project, name, stubs)
        wrong += _print_test(console, name, full, none)
    if wrong:
        raise CourseError(f"{wrong} test cells do not tell right from untouched, see above.")


@app.command()
def demo() -> None:
    """Build, release, grade ten students and run the digits, all in build/demo."""
    import os

    # Before NumPy is imported: the digits compare kernels, not numbers of BLAS threads.
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(name, "1")
    from tinytorch.course.demo import ASSIGNMENT, run_demo

    project, console = _project(), terminal.console()
    console.print(f"The demo of {ASSIGNMENT}")
    with terminal.progress(console, "working on") as follow:
        done = run_demo(project, lambda step: console.print(f"  {step}"), follow)
    class_commands.print_outcomes(console, done.outcomes, done.about)
    if done.grades:
        class_commands.print_report(console, done.grades)
        class_commands.print_trusted(done.grades)
    if done.no_sandbox:
        console.print(f"\n{NO_SANDBOX} {done.no_sandbox}\n", markup=False)
    console.print(done.digits, markup=False)
    console.print(f"\nMade in {sum(done.seconds.values()):.0f} seconds:")
    for what, path in done.made:
        console.print(f"  {what:32} {class_commands.shown(path, project)}", markup=False)


@app.command()
def doctor() -> None:
    """Look at this computer; each line says ok or what to do. Exit 1 if something is missing."""
    from tinytorch.course.doctor import examine

    missing = 0
    for finding in examine(_root):
        missing += finding.required and not finding.ok
        print(f"{'ok  ' if finding.ok else 'FIX ' if finding.required else 'note'}  {finding.text}")
    if missing:
        raise CourseError(f"{missing} of these must be put right before anything is graded.")


_HANDED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_HANDED_ON)
def bench(context: typer.Context) -> None:
    """Race the kernels against NumPy and others; `tito bench --help` lists the options."""
    import subprocess

    root = _project().root
    if not (root / "benchmarks").is_dir():
        raise CourseError(f"There is no {root / 'benchmarks'}: the benchmarks are in the source.")
    run = subprocess.run([sys.executable, "-m", "benchmarks", *context.args], cwd=root)
    raise typer.Exit(run.returncode)


@app.command()
def lab(
    assignment: Assignment = "11_kernels",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw away what was worked there, and start again.")
    ] = False,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Open JupyterLab on the student's notebook, in a kit unpacked below build/student."""
    import os
    import subprocess

    from tinytorch.course.kit import unpack_kit
    from tinytorch.course.release import release as run_release

    project = _project()
    if fresh or not project.kit(assignment).is_file():
        run_release(project, assignment)
    folder = unpack_kit(project, assignment, fresh)
    notebook = folder / project.notebook(assignment).relative_to(project.root)
    where = class_commands.shown(folder, project)
    print(f"the student's folder: {where}; its work is kept, `tito lab --fresh` starts again")
    # Opened by address and not by path: the folder, not the notebook's, is then the root.
    address = f"/lab/tree/{notebook.relative_to(folder).as_posix()}"
    command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url={address}"]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container; it listens on this computer only
    # The student's tinytorch, not the course's: it comes first on the path.
    environment = os.environ | {"PYTHONPATH": str(folder)}
    raise typer.Exit(subprocess.run(command, cwd=folder, env=environment).returncode)


app.command()(class_commands.grade)
app.command()(class_commands.regrade)
app.command()(class_commands.feedback)
app.command()(class_commands.report)
app.command()(lab_commands.machine)
app.command()(lab_commands.trace)
app.command()(proof_commands.validate_tests)
app.command()(proof_commands.mutate)


def _print_test(
    console: "Console", name: str, full: "list[CellScore]", none: "list[CellScore]"
) -> int:
    """Print one line per test cell; return how many are not as they should be."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title=name, title_justify="left")
    table.add_column("test cell", overflow="fold")
    for head in ("points", "reference", "untouched"):
        table.add_column(head, justify="right")
    table.add_column("")
    wrong = 0
    for good, bad in zip(full, none, strict=True):
        fine = good.score == good.max_score and bad.score == 0
        wrong += not fine
        remark = "" if fine else good.error or "passes without an answer"
        figures = (f"{good.max_score:g}", f"{good.score:g}", f"{bad.score:g}")
        table.add_row(good.grade_id, *figures, escape(remark))
    most, got, left = (sum(v) for v in ([s.max_score for s in full], [s.score for s in full],
                                       [s.score for s in none]))  # fmt: skip
    table.add_row("in all", f"{most:g}", f"{got:g}", f"{left:g}", "")
    console.print(table)
    return wrong


if __name__ == "__main__":
    main()
