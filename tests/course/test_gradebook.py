"""The merge against nbgrader itself: the same class, graded both ways, leaves the same rows."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from class_courses import change, make_pair_course, rows
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.plugins import CsvExportPlugin

from tinytorch.course import batch
from tinytorch.course.build import build
from tinytorch.course.dispatch import Workers
from tinytorch.course.gradebook import Merger
from tinytorch.course.graded_files import former_texts
from tinytorch.course.project import Project
from tinytorch.course.records import Records
from tinytorch.course.release import generate
from tinytorch.course.submissions import hand_in

A, NB = "02_pair", "pair_dev"
DUE = datetime(2026, 3, 1, 12)
SERIAL = Workers(lambda: ThreadPoolExecutor(1), 1)


def copied(notebook, cells):
    notebook.cells.append(new_code_cell("def two(): return 2", metadata=cells["two"].metadata))


def unmarked(notebook, cells):
    cells["test_two"].metadata.nbgrader.grade = False
    cells["test_two_hidden"].metadata.nbgrader.update(points=100, schema_version=1)
    del cells["test_one"].metadata["nbgrader"]


def removed(notebook, cells):
    gone = [id(cells[name]) for name in ("test_one", "test_two_hidden", "answer_why")]
    notebook.cells = [cell for cell in notebook.cells if id(cell) not in gone]


def edited(notebook, cells):
    cells["test_one"].source = "pass"


def as_text(notebook, cells):
    cells["two"].cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        cells["two"].pop(key, None)


# student: (answers that replace the reference's, edit of the file)
CLASS = {
    "right": ({}, None),
    "copied": ({}, copied),
    "unmarked": ({}, unmarked),
    "removed": ({}, removed),
    "edited": ({"two": "def two(): return 7"}, edited),
    "as_text": ({}, as_text),
    "syntax": ({"two": "def two(:"}, None),
    "noisy": ({"two": "def two():\n    print('x' * 9)\n    return 2"}, None),
}


@pytest.fixture(scope="module")
def template(repo, tmp_path_factory, empty_gradebook) -> Project:
    """The course, released. Shared: copy it."""
    project = make_pair_course(repo, tmp_path_factory.mktemp("pair"), empty_gradebook)
    build(project)
    generate(project, A)
    return project


def prepare(template: Project, root: Path) -> Project:
    """Copy the course with a due date and a zero for late hand-ins; write the class."""
    shutil.copytree(template.root, root)
    project = Project(root)
    config = root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    with Gradebook(project.gradebook_url) as book:
        book.update_or_create_assignment(A, duedate=DUE)
    when = DUE - timedelta(days=1)
    for student, (answers, edit) in CLASS.items():
        path = hand_in(project, A, student, {"answer_why": "Because.", **answers}, when=when)
        if edit:
            change(path, edit)
    hand_in(project, A, "silent", {}, base="stubs", when=when)
    hand_in(project, A, "late", {"answer_why": "Late."}, when=DUE + timedelta(hours=1))
    (hand_in(project, A, "undated", {}).parent / "timestamp.txt").unlink()
    return project


def decide(project: Project) -> None:
    """Read as an instructor does: points, extra points and words for some."""
    with Gradebook(project.gradebook_url) as book:
        for student, name, points, extra in (
            ("right", "answer_why", 4, None),
            ("edited", "answer_why", 2, 1.0),
            ("copied", "test_two", 0.5, None),
            ("syntax", "test_two_hidden", 1.5, None),
            ("late", "answer_why", 5, None),
        ):
            grade = book.find_grade(name, NB, A, student)
            grade.manual_score, grade.extra_credit = points, extra
            grade.needs_manual_grade = False
        book.find_comment("two", NB, A, "right").manual_comment = "Good."
        book.db.commit()


def hand_in_again(project: Project) -> None:
    """A text that changed, a score that changed, and what stays as it was."""
    when = DUE - timedelta(hours=2)
    hand_in(project, A, "edited", {"answer_why": "On second thought."}, when=when)
    hand_in(project, A, "copied", {"two": "def two(): return 0"}, when=when)


def by_nbgrader(project: Project) -> None:
    api = NbGraderAPI(config=project.nbgrader_config())
    for folder in sorted(project.submitted.iterdir()):
        result = api.autograde(A, folder.name, force=True)
        assert result["success"], result


def by_merge(project: Project) -> None:
    outcomes = batch.grade(project, A, None, True, workers=SERIAL)
    assert {outcome.state for outcome in outcomes} == {"graded"}, outcomes


def exported(project: Project, path: Path) -> str:
    with Gradebook(project.gradebook_url) as book:
        CsvExportPlugin(to=str(path)).export(book)
    return path.read_text()


@pytest.fixture(scope="module")
def both(template, tmp_path_factory, sandbox):
    """(rows, CSV, digests) after the first grading, and after a second one, of both ways."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "check_reference", lambda *_, **__: None)
        patch.setattr("tinytorch.course.preprocessors.check_reference", lambda *_, **__: None)
        for way in (by_nbgrader, by_merge):
            root = tmp_path_factory.mktemp(way.__name__)
            project = prepare(template, root / "course")
            way(project)
            first = (rows(project), exported(project, root / "1.csv"))
            decide(project)
            hand_in_again(project)
            way(project)
            texts = {s: former_texts(project, A, NB, s) for s in (*CLASS, "silent")}
            second = (rows(project), exported(project, root / "2.csv"), texts)
            found[way.__name__] = (project, *first, *second)
    return found


@pytest.mark.parametrize(
    "part", [1, 2, 3, 4, 5], ids=["rows", "csv", "rows again", "csv again", "texts"]
)
def test_the_merge_leaves_what_nbgrader_leaves(both, part):
    assert both["by_merge"][part] == both["by_nbgrader"][part]


def test_the_class_has_what_it_should_have(both):
    """Else two empty gradebooks would be equal as well."""
    first, _, again = both["by_merge"][1:4]
    assert {row[0] for row in first} == {*CLASS, "silent", "late", "undated"}
    assert any(row[2] not in ("None", "0.0") for row in first), "nobody was late"
    assert any(row[8] == "No response." for row in first)
    assert any(row[7] == "True" for row in again) and any(row[5] == "2.0" for row in again)


def test_the_feedback_of_merged_grades_is_nbgraders(both):
    pages = {}
    for way, (project, *_) in both.items():
        result = NbGraderAPI(config=project.nbgrader_config()).generate_feedback(A, "edited")
        assert result["success"], result
        page = (project.feedback / "edited" / A / f"{NB}.html").read_text()
        assert "two is not written" not in page
        pages[way] = page.count("Score:"), "On second thought." in page
    assert pages["by_merge"] == pages["by_nbgrader"]


def test_a_merge_takes_the_same_statements_for_one_and_for_many(template, tmp_path):
    import sqlalchemy as sql

    shutil.copytree(template.root, tmp_path / "course")
    project = Project(tmp_path / "course")
    executed = (project.release / A / f"{NB}.ipynb").read_text()
    record = {"version": 1, "key": "k", "assignment": A, "state": "graded", "reason": "",
              "executed": executed, "scores": {f"test_{n}": [1.0, 1.0] for n in ("one", "two")},
              "seed": 1, "timestamp": str(datetime.now(UTC))}  # fmt: skip
    counts = []
    with Merger(project, A) as merger:
        for size in (1, 25):
            students = [record | {"student": f"{size}-{n}"} for n in range(size)]
            seen = []
            listen = (merger.book.engine, "before_cursor_execute", lambda *_, s=seen: s.append(1))
            sql.event.listen(*listen)
            scores = merger.merge(students)
            sql.event.remove(*listen)
            assert set(scores.values()) == {2.0}
            counts.append(len(seen))
    assert counts[0] == counts[1]
    assert len(rows(project)) > 25


def test_records_lie_where_nbgrader_does_not_look(both):
    project = both["by_merge"][0]
    assert list(Records(project, A).heads())
    api = NbGraderAPI(config=project.nbgrader_config())
    assert ".records" not in api.get_autograded_students(A)
