"""One class of good, careless and hostile folders, graded by `nbgrader autograde` alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import nbgrader
import pytest
from class_courses import change, tiny_course
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import Autograde

from tinytorch.course import guard
from tinytorch.course.build import build
from tinytorch.course.isolation import named_cells
from tinytorch.course.project import Project
from tinytorch.course.release import generate
from tinytorch.course.submissions import hand_in

pytestmark = pytest.mark.filterwarnings("ignore:Non-unique cell id")  # written on purpose

A = "01_double"
NAME = "double_dev.ipynb"
SECRET = "the text of another student"


def copied(notebook, cells):
    notebook.cells += [
        nbformat.from_dict(cells["double"]),
        nbformat.from_dict(cells["test_double"]),
    ]


def unmarked(notebook, cells):
    for name in ("test_double", "test_double_hidden"):
        cells[name].metadata.nbgrader.update(grade=False, schema_version=1)


def deleted(notebook, cells):
    notebook.cells = [c for c in notebook.cells if c is not cells["test_double_hidden"]]


def linked(path):
    (path.parent / "notes.txt").symlink_to(path.parents[2] / "secret.txt")


def hostile_name(path):
    path.rename(path.with_name("<script>alert(1).ipynb"))


def pipe(path):
    (path.parent / "timestamp.txt").unlink()
    os.mkfifo(path.parent / "timestamp.txt")


def modules(path):
    for name in ("numpy.py", "tinytorch/core/kernels.py", "mine.py"):
        (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
        (path.parent / name).write_text("x = 1")


# student: (spoils the hand-in, points of 3)
CLASS = {
    "ann": (None, 3),
    "copied": (lambda path: change(path, copied), 3),
    "unmarked": (lambda path: change(path, unmarked), 3),
    "deleted": (lambda path: change(path, deleted), 3),
    "modules": (modules, 3),
    "linked": (linked, 0),
    "piped": (pipe, 0),
    "dated": (lambda path: (path.parent / "timestamp.txt").write_text("soon"), 0),
    "deep": (lambda path: path.write_text("[" * 100_000), 0),
    "renamed": (hostile_name, 0),
    "empty_folder": (lambda path: path.unlink(), 0),
}
REFUSED = [student for student, (_, points) in CLASS.items() if points == 0]


def command(project: Project, *words: str) -> subprocess.CompletedProcess:
    env = {k: v for k, v in os.environ.items() if not k.startswith("NBGRADER")}
    env["PYTHONPATH"] = str(Path(guard.__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=project.root,
        env=env,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def released(tmp_path_factory, empty_gradebook) -> Project:
    project = tiny_course(
        Path(__file__).parents[2], tmp_path_factory.mktemp("guard"), empty_gradebook
    )
    build(project)
    generate(project, A)
    return project


@pytest.fixture
def course(released, tmp_path) -> Project:
    shutil.copytree(released.root, tmp_path / "course")
    return Project(tmp_path / "course")


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory, sandbox):
    root = tmp_path_factory.mktemp("commanded") / "course"
    shutil.copytree(released.root, root)
    project = Project(root)
    for student, (spoil, _) in CLASS.items():
        path = hand_in(project, A, student, {})
        if spoil:
            spoil(path)
    (project.submitted / "secret.txt").write_text(SECRET)
    done = command(project, "autograde", A)
    return project, done


def test_the_class_goes_on_to_its_end(graded):
    _, done = graded
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("student", CLASS)
def test_everybody_has_a_grade_for_every_test(graded, student):
    project, _ = graded
    with Gradebook(project.gradebook_url) as book:
        grades = book.find_submission_notebook("double_dev", A, student).grades
        found = {grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in grades}
    assert len(found) == 2
    assert not any(needs for _, needs in found.values())
    assert sum(score for score, _ in found.values()) == CLASS[student][1]


@pytest.mark.parametrize("student", REFUSED)
def test_a_refused_submission_says_why_and_none_of_it_is_there(graded, student):
    project, done = graded
    folder = project.autograded / student / A
    assert {path.name for path in folder.iterdir()} == {NAME, "README.md"}
    notebook = nbformat.read(folder / NAME, as_version=4)
    assert notebook.cells[0].source.startswith(guard.REFUSED)
    for name in ("test_double", "test_double_hidden"):
        (output,) = named_cells(notebook)[name].outputs
        assert "did not run" in output.evalue
    assert f"{student} is not graded: " in done.stderr


def test_the_reasons_are_shown_and_are_no_markup(graded):
    project, _ = graded
    for student, reason in {
        "linked": "notes.txt is a link",
        "piped": "timestamp.txt is no file",
        "dated": "holds no date",
        "deep": "nested more than 100 deep",
        "renamed": "&lt;script&gt;alert(1)",
        "empty_folder": "there is no notebook",
    }.items():
        cells = nbformat.read(project.autograded / student / A / NAME, as_version=4).cells
        assert reason in cells[0].source
        assert not any("<script>" in cell.source for cell in cells)


def test_a_link_was_not_followed(graded):
    project, _ = graded
    for path in (project.autograded / "linked").rglob("*"):
        assert path.is_dir() or SECRET not in path.read_text()


def test_companions_are_copied_but_nothing_named_like_the_graders_modules(graded):
    project, done = graded
    folder = project.autograded / "modules" / A
    assert {path.name for path in folder.iterdir()} == {
        "mine.py", "timestamp.txt", NAME, "README.md"}  # fmt: skip
    assert "modules handed in numpy.py (named like the module numpy): left out" in done.stderr


def test_the_time_of_handing_in_is_kept(graded):
    project, _ = graded
    with Gradebook(project.gradebook_url) as book:
        assert book.find_submission(A, "ann").timestamp is not None


def test_feedback_shows_the_reason(graded):
    project, _ = graded
    done = command(project, "generate_feedback", A, "--student=linked")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (project.feedback / "linked" / A / "double_dev.html").read_text()
    assert "This submission was not graded" in page
    assert page.count("notes.txt is a link") >= 3


# By formgrader's way, without a kernel


@pytest.fixture
def api(course, monkeypatch) -> NbGraderAPI:
    monkeypatch.setattr("tinytorch.course.preprocessors.check_reference", lambda *_, **__: None)
    return NbGraderAPI(config=course.nbgrader_config())


def test_formgraders_button_refuses_too(course, api):
    linked(hand_in(course, A, "ann", {}))
    result = api.autograde(A, "ann")
    assert result["success"], result
    assert "ann is not graded: notes.txt is a link" in result["log"]
    assert api.coursedir.submitted_directory == "submitted"


def test_a_refused_hand_in_can_be_put_right(course, api):
    linked(hand_in(course, A, "ann", {}))
    api.autograde(A, "ann")
    (course.submitted / "ann" / A / "notes.txt").unlink()
    config = course.nbgrader_config()
    config.Execute.enabled = False
    result = NbGraderAPI(config=config).autograde(A, "ann")
    assert result["success"], result
    text = (course.autograded / "ann" / A / NAME).read_text()
    assert "execution was switched off" in text and "is a link" not in text


@pytest.mark.parametrize("name", ["two\nlines", "<script>1<", '";1', "a\\b", "pattern*"])
def test_a_folder_that_nbgrader_cannot_name_does_not_end_the_class(course, api, name):
    linked(hand_in(course, A, "ann", {}))
    hand_in(course, A, name, {})
    result = api.autograde(A, "*")
    assert result["success"], result
    assert "Rename the folder" in result["log"]
    with Gradebook(course.gradebook_url) as book:
        assert [s.student_id for s in book.assignment_submissions(A)] == ["ann"]


@pytest.mark.parametrize(
    ("assignment", "student", "says"),
    [(A, "nobody", "No notebooks were matched"), ("02_x", "ann", "no assignment '02_x'")],
    ids=["student", "assignment"],
)
def test_who_or_what_is_missing_is_said(course, api, assignment, student, says):
    hand_in(course, A, "ann", {})
    result = api.autograde(assignment, student)
    assert not result["success"]
    assert says in result["log"]


def test_the_guard_is_put_on_once():
    assert guard.guard_nbgrader()
    once = Autograde.convert_notebooks
    assert guard.guard_nbgrader()
    assert Autograde.convert_notebooks is once


def test_another_nbgrader_is_left_alone_and_said(monkeypatch, caplog):
    monkeypatch.setattr(nbgrader, "__version__", "0.10.0")
    before = Autograde.convert_notebooks
    assert not guard.guard_nbgrader()
    assert Autograde.convert_notebooks is before
    assert "nbgrader 0.10.0 copies submissions" in caplog.text


def test_outside_of_grading_nobody_is_refused():
    assert guard.refusal(object()) == ""
