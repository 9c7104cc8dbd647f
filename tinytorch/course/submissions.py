"""Makes submissions from a release and a file of answers: the demo's class, and the tests' corpora.

A file of answers is a .py such as

    # base: reference
    # Right, but written another way.

    # %% vectorized_relu
    def vectorized_relu(x):
        ...

    # %% [markdown] answer_roof
    The bytes, not the arithmetic.

`base` says what the other answers are: "reference" (the instructor's) or "stubs" (untouched). A
file that is an .ipynb is handed in as it is. Nothing here grades.
"""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode
from nbgrader import utils

from tinytorch.course.isolation import named_cells, read_source
from tinytorch.course.lesson import SOLUTION
from tinytorch.course.project import CourseError, Project

BASES = ("reference", "stubs")
_CELL = re.compile(r"^# %%(?P<markdown> \[markdown\])? (?P<grade_id>\S+)[ \t]*$", re.MULTILINE)


class Answers(NamedTuple):
    """What a file of answers says: its base, one line about it, and the sources by grade_id."""

    base: str
    about: str
    answers: dict[str, str]


def read_answers(path: Path) -> Answers:
    """Read a file of answers; CourseError that names the file and what is missing in it."""
    text = path.read_text(encoding="utf-8")
    first = _CELL.search(text)
    head = text[: first.start()] if first else text
    comments = [line.removeprefix("#").strip() for line in head.splitlines() if line.strip()]
    if not comments or comments[0] not in [f"base: {base}" for base in BASES]:
        raise CourseError(f"{path} must begin with `# base: reference` or `# base: stubs`.")
    if len(comments) != 2:
        raise CourseError(f"{path} needs one line about itself after its base, as a comment.")
    found: dict[str, str] = {}
    starts = list(_CELL.finditer(text))
    ends = [*(cell.start() for cell in starts), len(text)][1:]
    for cell, end in zip(starts, ends, strict=False):
        if cell["grade_id"] in found:
            raise CourseError(f"{path} answers {cell['grade_id']!r} twice.")
        found[cell["grade_id"]] = text[cell.end() : end].strip("\n")
    return Answers(comments[0].removeprefix("base: "), comments[1], found)


def reference_answers(source_notebook: Path) -> dict[str, str]:
    """Return the instructor's answers by grade_id, without solution markers."""
    notebook = nbformat.read(source_notebook, as_version=4)
    return {
        grade_id: "\n".join(
            line for line in cell.source.split("\n") if line.strip() not in SOLUTION
        )
        for grade_id, cell in named_cells(notebook).items()
        if utils.is_solution(cell)
    }


def submission(released_notebook: Path, answers: dict[str, str]) -> NotebookNode:
    """Return the released notebook with `answers` written into its answer cells.

    Raises CourseError for an answer that the release has no cell for.
    """
    if not released_notebook.is_file():
        raise CourseError(f"{released_notebook} is missing: run `tito release` first.")
    notebook = nbformat.read(released_notebook, as_version=4)
    cells = {n: cell for n, cell in named_cells(notebook).items() if utils.is_solution(cell)}
    unknown = sorted(set(answers) - set(cells))
    if unknown:
        raise CourseError(
            f"{released_notebook} has no answer cell {', '.join(unknown)}. "
            f"It has: {', '.join(cells)}."
        )
    for grade_id, source in answers.items():
        cells[grade_id].source = source
    return notebook


def hand_in(
    project: Project,
    assignment: str,
    student: str,
    answers: dict[str, str],
    base: str = "reference",
    when: datetime | None = None,
) -> Path:
    """Write one student's notebook into `submitted`; return its path."""
    all_answers = dict(answers)
    if base == "reference":
        all_answers = reference_answers(project.notebook(assignment)) | all_answers
    name = project.notebook(assignment).name
    notebook = submission(project.release / assignment / name, all_answers)
    path = _place(project, assignment, student, when) / name
    nbformat.write(notebook, path)
    return path


def write_class(
    project: Project, assignment: str, folder: Path, when: datetime | None = None
) -> dict[str, str]:
    """Hand in every file of answers in `folder`; return what each student's file says of itself.

    <student>.py is a file of answers; <student>.ipynb is handed in byte for byte.
    """
    files = sorted(p for p in folder.iterdir() if p.suffix in (".py", ".ipynb"))
    if not files:
        raise CourseError(f"{folder} holds no submissions: expected <student>.py or .ipynb files.")
    read_source(project, assignment)
    about = {}
    for file in files:
        if file.suffix == ".ipynb":
            target = _place(project, assignment, file.stem, when)
            shutil.copyfile(file, target / project.notebook(assignment).name)
            about[file.stem] = "A file handed in as it is."
            continue
        read = read_answers(file)
        hand_in(project, assignment, file.stem, read.answers, read.base, when)
        about[file.stem] = read.about
    return about


def _place(project: Project, assignment: str, student: str, when: datetime | None) -> Path:
    folder = project.submitted / student / assignment
    folder.mkdir(parents=True, exist_ok=True)
    stamp = (when or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    (folder / "timestamp.txt").write_text(stamp)
    return folder
