"""Rows, CSV and JSON from a gradebook that is written by hand."""

import csv
import json

import pytest
from nbgrader.api import Gradebook

from tinytorch.course import report
from tinytorch.course.build import build
from tinytorch.course.project import CourseError

A, NB = "01_double", "double_dev"


@pytest.fixture
def course(tiny):
    """ann is graded, bob was corrected by hand, cy is half graded, dee has no record at all."""
    build(tiny)
    with Gradebook(tiny.gradebook_url) as book:
        book.add_assignment(A)
        book.add_notebook(NB, A)
        book.add_solution_cell("double", NB, A)
        for name, points in (("test_double_hidden", 2), ("test_double", 1)):
            book.add_grade_cell(name, NB, A, max_score=points, cell_type="code")
        book.add_solution_cell("answer_why", NB, A)
        book.add_grade_cell("answer_why", NB, A, max_score=4, cell_type="markdown")
        scores = {"ann": (1, 0), "bob": (1, 2), "cy": (1, None)}
        for student, pair in scores.items():
            book.add_student(student)
            book.add_submission(A, student)
            for name, score in zip(("test_double", "test_double_hidden"), pair, strict=True):
                grade = book.find_grade(name, NB, A, student)
                grade.auto_score, grade.needs_manual_grade = score, score is None
        corrected = book.find_grade("answer_why", NB, A, "bob")
        corrected.manual_score, corrected.needs_manual_grade = 3, False
        book.db.commit()
    (tiny.submitted / "dee" / A).mkdir(parents=True)
    return tiny


def rows(course):
    found = report.report(course, A)
    return found, {row.student: row for row in found.rows}


def test_a_row_for_everybody_who_handed_in(course):
    _, found = rows(course)
    assert {s: (r.state, r.score) for s, r in found.items()} == {
        "ann": ("needs reading", 1),
        "bob": ("graded", 6),
        "cy": ("not graded", None),
        "dee": ("not graded", None),
    }


def test_points_per_answer_are_sums_over_its_tests(course):
    found, by_student = rows(course)
    assert found.answers == {"double": 3, "answer_why": 4}
    assert found.by_answer(by_student["ann"]) == {"double": 1, "answer_why": None}
    assert found.by_answer(by_student["bob"]) == {"double": 3, "answer_why": 3}
    assert found.by_answer(by_student["cy"]) == {"double": None, "answer_why": None}


@pytest.mark.parametrize(
    ("cell", "answer"),
    [
        ("test_relu", "relu"),
        ("test_relu_hidden_errors", "relu"),
        ("test_relu_six", "relu_six"),
        ("test_relu_six_hidden", "relu_six"),
        ("answer_why", "answer_why"),
        ("test_other", "test_other"),
    ],
)
def test_a_test_cell_belongs_to_the_longest_name(cell, answer):
    assert report.answer_of(cell, ["relu", "relu_six", "answer_why"]) == answer


def test_csv_leaves_what_is_not_graded_empty(course, tmp_path):
    found, _ = rows(course)
    report.write_csv(found, tmp_path / "x.csv")
    lines = list(csv.DictReader((tmp_path / "x.csv").open()))
    assert [(x["student"], x["score"], x["double"], x["answer_why"]) for x in lines] == [
        ("ann", "1.0", "1.0", ""),
        ("bob", "6.0", "3.0", "3.0"),
        ("cy", "", "", ""),
        ("dee", "", "", ""),
    ]


def test_json_has_every_cell(course, tmp_path):
    found, _ = rows(course)
    report.write_json(found, tmp_path / "x.json")
    content = json.loads((tmp_path / "x.json").read_text())
    ann = content["students"][0]
    assert ann["needs_manual_grade"] and ann["max_score"] == 7
    assert {c["grade_id"]: (c["score"], c["max_score"]) for c in ann["cells"]} == {
        "test_double": (1, 1),
        "test_double_hidden": (0, 2),
        "answer_why": (0, 4),
    }


def test_an_unwritable_file_is_named(course, tmp_path):
    found, _ = rows(course)
    with pytest.raises(CourseError, match=r"nowhere.*cannot be written"):
        report.write_csv(found, tmp_path / "nowhere" / "x.csv")


def test_no_release_is_said(tiny):
    build(tiny)
    with pytest.raises(CourseError, match="tito release 01_double"):
        report.report(tiny, A)


def test_points_by_hand_count_although_they_wait_to_be_confirmed(course):
    with Gradebook(course.gradebook_url) as book:
        book.find_grade("answer_why", NB, A, "bob").needs_manual_grade = True
        book.db.commit()
    found, by_student = rows(course)
    bob = by_student["bob"]
    assert bob.state == "needs reading"
    assert sum(found.by_answer(bob).values()) == bob.score == 6


def test_a_newer_hand_in_shows(course):
    folder = course.submitted / "bob" / A
    folder.mkdir(parents=True)
    (folder / f"{NB}.ipynb").write_text("{")
    assert rows(course)[1]["bob"].state == "newer hand-in not graded"
    executed = course.autograded / "bob" / A / f"{NB}.ipynb"
    executed.parent.mkdir(parents=True)
    executed.write_text("{}")
    assert rows(course)[1]["bob"].state == "graded"


def test_who_handed_in_at_the_wrong_place_is_a_row_with_the_way_out(course):
    (course.submitted / "eve").mkdir(parents=True)
    (course.submitted / "eve" / f"{NB}.ipynb").write_text("{}")
    row = rows(course)[1]["eve"]
    assert (row.state, row.score) == ("not graded", None) and "Move it to" in row.reason


def test_a_refused_hand_in_without_a_notebook_is_no_newer_one(course):
    folder = course.submitted / "bob" / A
    folder.mkdir(parents=True)
    (folder / f"{NB} (1).ipynb").write_text("{}")
    executed = course.autograded / "bob" / A / f"{NB}.ipynb"
    executed.parent.mkdir(parents=True)
    executed.write_text("{}")
    assert report.is_current(course, A, "bob", refused=True)
    assert not report.is_current(course, A, "bob")


def test_a_damaged_gradebook_is_a_message(course):
    (course.root / "gradebook.db").write_bytes(b"no database" * 100)
    with pytest.raises(CourseError, match=r"gradebook\.db cannot be read"):
        report.report(course, A)
