"""`tito demo`: a course of its own in build/demo, from the lesson to grades, for ten students.

Uses only what the other modules offer; the students are tests/submissions/demo_class. Where there
is no sandbox they are graded as trusted, as everything of theirs is in this repository.
"""

import importlib.util
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from tinytorch.course import batch, compiled, feedback_pages, sandbox, submissions
from tinytorch.course.build import build
from tinytorch.course.export import export_notebook
from tinytorch.course.kit import student_package
from tinytorch.course.project import CourseError, Project
from tinytorch.course.release import release
from tinytorch.course.report import Report, report, write_csv, write_json

ASSIGNMENT = "11_kernels"
BEST = "ana"  # whose kernels run the digits
BROKEN = "jun"  # whose file cannot say so itself
TIMEOUT = 60  # seconds a cell without a sandbox: on a busy machine compiling takes its time
_COPIED = (
    "modules",
    "tinytorch",
    "nbgrader_config.py",
    "settings.ini",
    "pyproject.toml",
    "constraints.txt",
)
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


@dataclass
class Demo:
    """What the demo made: results to print, and paths with one line about each.

    no_sandbox: why its class was trusted, or nothing.
    """

    about: dict[str, str] = field(default_factory=dict)
    outcomes: list[batch.Outcome] = field(default_factory=list)
    grades: Report | None = None
    digits: str = ""
    no_sandbox: str = ""
    made: list[tuple[str, Path]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def run_demo(
    project: Project,
    on_step: Callable[[str], None] = lambda step: None,
    on_progress: batch.Progress | None = None,
) -> Demo:
    """Run the whole demo; CourseError if a step fails that should not.

    `on_step` is told what begins; `on_progress` follows grading and feedback.
    """
    folder = project.root / "tests" / "submissions" / "demo_class"
    if not folder.is_dir():
        raise CourseError(f"The demo's class is missing: there is no {folder}.")
    done = Demo(no_sandbox=sandbox.problem())

    @contextmanager
    def step(name: str) -> Iterator[None]:
        on_step(name)
        started = time.monotonic()
        yield
        done.seconds[name] = time.monotonic() - started

    with step("a course folder of its own"):
        course = _fresh_course(project)
    with step("build"):
        build(course)
    with step("release"):
        released = release(course, ASSIGNMENT)
    with step("ten students hand in"):
        done.about = submissions.write_class(course, ASSIGNMENT, folder)
        done.about[BROKEN] = "Broken on purpose: a file that was cut short while it was saved."
    trusted = bool(done.no_sandbox)
    with step("grade (no sandbox here: this class is trusted)" if trusted else "grade"):
        done.outcomes = batch.grade(course, ASSIGNMENT, on_progress=on_progress, trusted=trusted)
    with step("feedback"):
        pages = feedback_pages.feedback(course, ASSIGNMENT, on_progress)
    with step("report"):
        done.grades = report(course, ASSIGNMENT)
        write_csv(done.grades, course.root / "grades.csv")
        write_json(done.grades, course.root / "grades.json")
    done.made = [
        ("what students get", released.notebook),
        ("the student kit", released.kit),
        ("the gradebook", course.root / "gradebook.db"),
        ("the grades", course.root / "grades.csv"),
        ("every cell's points", course.root / "grades.json"),
        *[("a feedback page", Path(page.message)) for page in pages[:1]],
    ]
    with step("the digits"):
        _digits(course, done)
    return done


def _fresh_course(project: Project) -> Project:
    """Copy the course to build/demo, where the demo's grades touch nobody's."""
    root = project.build / "demo"
    try:
        if root.exists():
            shutil.rmtree(root)
        root.mkdir(parents=True)
        for name in _COPIED:
            source = project.root / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=_LEFT_OUT)
            elif source.is_file():
                shutil.copyfile(source, root / name)
        compiled.share(project, Project(root))
    except OSError as error:
        raise CourseError(
            f"{root} cannot be made anew ({error}). Remove it, then try again."
        ) from error
    config = root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.IsolatedExecute.timeout = {TIMEOUT}\n")
    return Project(root)


def _digits(course: Project, done: Demo) -> None:
    """Export the best student's kernels, and run the digits through them."""
    from tinytorch.lab.digits_run import run_digits

    home = course.root / "students" / BEST
    student_package(course, home)
    notebook = course.submitted / BEST / ASSIGNMENT / course.notebook(ASSIGNMENT).name
    exported = export_notebook(notebook, home / "tinytorch")
    picture = course.root / "digits.png"
    done.digits = run_digits(_load(exported), picture)
    done.made += [(f"{BEST}'s own tinytorch.core.kernels", exported), ("the digits", picture)]


def _load(path: Path) -> ModuleType:
    """Import a student's kernels; as a part of tinytorch.core, from which they import."""
    spec = importlib.util.spec_from_file_location("tinytorch.core.student_kernels", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
