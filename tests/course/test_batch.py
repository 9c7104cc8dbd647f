"""The real lesson: each answer wrong alone, and whatever else a folder of submissions may hold."""

import html
import json
import re
import shutil
import sqlite3

import pytest
from class_courses import FUNCTION, THREADS
from nbgrader.api import Gradebook

from tinytorch.course import batch, feedback_pages, hand_ins, report, seeds
from tinytorch.course.project import CourseError, Project
from tinytorch.course.submissions import hand_in
from tinytorch.course.task import grade_submission

A = "11_kernels"
RELU = "values = as_array(x)\n    return Tensor(np.maximum(values, values.dtype.type(0)))"
# One wrong answer each, as a student would write it. What other mistakes cost is shown by
# `tito validate-tests`; here they go through nbgrader and the gradebook.
WRONG = {
    "vectorized_relu": "def vectorized_relu(x):\n    return Tensor(np.abs(as_array(x)))",
    "quantized_relu": "def quantized_relu(x, scale=1.0):\n    return Tensor(as_array(x))",
    "sparse_matmul": "def sparse_matmul(A, W, num_workers=None):\n"
    "    return Tensor(as_array(A) @ (to_sparse(W).to_dense() != 0))",
}
SEED = 2026


@pytest.fixture(scope="session")
def three(released, tmp_path_factory, sandbox):
    """A copy of the real course with three students, one wrong answer each, graded."""
    root = tmp_path_factory.mktemp("three") / "course"
    shutil.copytree(released.root, root)
    project = Project(root)
    for name, source in WRONG.items():
        hand_in(project, A, name, {name: source})
    outcomes = batch.grade(project, A, seed=SEED)
    assert {outcome.state for outcome in outcomes} == {"graded"}, outcomes
    found = report.report(project, A)
    return project, {row.student: found.by_answer(row) for row in found.rows}, found.answers


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_costs_only_its_own_points(three, name):
    _, points, most = three
    auto = {answer: p for answer, p in points[name].items() if not answer.startswith("answer_")}
    lost = {answer for answer, p in auto.items() if p < most[answer]}
    assert len(auto) == 13
    assert lost == {name}


def test_what_was_graded_is_skipped_until_it_changes(three):
    project, *_ = three
    assert [o.state for o in batch.grade(project, A, ["quantized_relu"])] == ["skipped"]
    hand_in(project, A, "quantized_relu", {})
    again = batch.grade(project, A, ["quantized_relu"])[0]
    assert (again.state, again.score) == ("graded", 100)


def test_the_seed_of_a_grading_is_kept_and_a_regrade_repeats_it(three):
    project, *_ = three
    rows = {row.student: row.seed for row in report.report(project, A).rows}
    assert {rows[name] for name in WRONG} == {SEED}
    batch.grade(project, A, ["sparse_matmul"], force=True)
    assert seeds.recorded(project, A, "sparse_matmul") == SEED
    batch.grade(project, A, ["sparse_matmul"], force=True, seed=7)
    assert seeds.recorded(project, A, "sparse_matmul") == 7


def test_a_half_graded_submission_is_graded_again(three):
    project, *_ = three
    with Gradebook(project.gradebook_url) as book:
        grade = book.find_grade("test_matmul_baseline", "kernels_dev", A, "vectorized_relu")
        grade.auto_score = None
        book.db.commit()
    assert batch.grade(project, A, ["vectorized_relu"])[0].state == "graded"


def test_bad_submissions_are_refused_alone_and_what_the_instructor_must_do_is_said(three):
    project, *_ = three
    name = "kernels_dev.ipynb"
    good = hand_in(project, A, "zoe", {})
    for student in ("corrupt", "renamed", "nothing", "linked", "binary", "no_cells"):
        (project.submitted / student / A).mkdir(parents=True)
    (project.submitted / "corrupt" / A / name).write_text(good.read_text()[:500])
    (project.submitted / "binary" / A / name).write_bytes(b"\x80\xff\x00")
    (project.submitted / "no_cells" / A / name).write_text('{"nbformat": 4, "nbformat_minor": 5}')
    shutil.copyfile(good, project.submitted / "renamed" / A / "my_kernels.ipynb")
    hand_in(project, A, "pattern*", {})
    (project.submitted / "linked" / A / name).symlink_to(project.notebook(A))
    bad = ["corrupt", "renamed", "nothing", "linked", "binary", "no_cells"]
    unready = ["absent", "pattern*"]
    outcomes = {o.student: o for o in batch.grade(project, A, [*bad, *unready, "zoe"])}
    assert {student: (o.state, o.score) for student, o in outcomes.items()} == {
        **dict.fromkeys(bad, ("refused", 0)),
        **dict.fromkeys(unready, ("failed", None)),
        "zoe": ("graded", 100),
    }
    assert "is not a notebook" in outcomes["corrupt"].message
    assert "my_kernels.ipynb is there" in outcomes["renamed"].message
    assert "links are not followed" in outcomes["linked"].message
    assert "has not handed in" in outcomes["absent"].message
    with Gradebook(project.gradebook_url) as book:
        known = {submission.student_id for submission in book.assignment_submissions(A)}
    assert known.isdisjoint(unready)
    rows = {row.student: (row.state, row.score) for row in report.report(project, A).rows}
    assert rows["corrupt"] == ("refused", 0)
    assert rows["pattern*"] == ("not graded", None)


def page_of(project: Project, student: str) -> str:
    page = project.feedback / student / A / "kernels_dev.html"
    return html.unescape(page.read_text(encoding="utf-8"))


def test_a_feedback_page_says_what_was_tried_and_hides_the_hidden_tests(three):
    project, *_ = three
    seen = []
    outcomes = feedback_pages.feedback(project, A, lambda *step: seen.append(step))
    assert {outcome.state for outcome in outcomes} == {"graded"}
    assert seen[-1][0] == seen[-1][1] == len(outcomes)
    said = re.sub("<[^>]*>", "", page_of(project, "vectorized_relu"))
    assert "AssertionError: tried vectorized_relu([" in said
    assert "is everything below zero set to zero" in said
    assert "# Hidden tests of vectorized_relu: random values, small ones" in said
    assert "10.0 ** rng.integers(-30, 30)" not in said and "BEGIN HIDDEN TESTS" not in said


def test_an_instructor_may_ask_for_the_hidden_tests(three):
    project, *_ = three
    feedback_pages.feedback(project, A, show_hidden=True)
    said = re.sub("<[^>]*>", "", page_of(project, "vectorized_relu"))
    assert "10.0 ** rng.integers(-30, 30)" in said
    feedback_pages.feedback(project, A)


# What is refused before anybody is graded. No kernel is started for these.


@pytest.fixture
def course(released, tmp_path) -> Project:
    shutil.copytree(released.root, tmp_path / "course")
    project = Project(tmp_path / "course")
    hand_in(project, A, "ann", {})
    return project


def test_an_unknown_assignment_is_named(course):
    with pytest.raises(CourseError, match="no assignment '12_x'"):
        batch.grade(course, "12_x")


def test_an_empty_class_is_said(course):
    shutil.rmtree(course.submitted)
    with pytest.raises(CourseError, match="Nobody has handed in"):
        batch.grade(course, A)


def test_no_release_is_said(course):
    with Gradebook(course.gradebook_url) as book:
        book.remove_assignment(A)
    with pytest.raises(CourseError, match="tito release 11_kernels"):
        batch.grade(course, A)


@pytest.mark.parametrize("spoil", ["remove", "garbage", "lock"])
def test_an_unusable_gradebook_is_named(course, spoil):
    path = course.root / "gradebook.db"
    other = None
    if spoil == "remove":
        path.unlink()
    elif spoil == "garbage":
        path.write_bytes(b"garbage" * 1000)
    else:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(CourseError, match=r"gradebook\.db"):
            batch.grade(course, A)
    finally:
        if other:
            other.close()


def test_an_unwritable_folder_is_named(course):
    course.autograded.write_text("a file where the folder should be")
    with pytest.raises(CourseError, match="autograded cannot be written to"):
        batch.grade(course, A)


def test_feedback_before_grading_is_said(course):
    with pytest.raises(CourseError, match="tito grade"):
        feedback_pages.feedback(course, A)


def test_what_lies_in_the_wrong_place_is_a_failure_by_name(course, monkeypatch):
    monkeypatch.setattr(batch, "check_reference", lambda *_, **__: None)
    notebook = course.submitted / "ann" / A / "kernels_dev.ipynb"
    (course.submitted / "flat").mkdir()
    shutil.copyfile(notebook, course.submitted / "flat" / "kernels_dev.ipynb")
    shutil.copyfile(notebook, course.submitted / "ben.ipynb")
    (course.submitted / "cy" / "12_other").mkdir(parents=True)
    graded = batch.grade(course, A, workers=THREADS, function=FUNCTION)
    outcomes = {o.student: o for o in graded}
    assert {s: o.state for s, o in outcomes.items()} == {
        "flat": "failed", "ben.ipynb": "failed", "ann": "graded"}  # fmt: skip
    assert "Move it to" in outcomes["flat"].message


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: (f / "kernels_dev.ipynb").write_text("[1]"), "is not a notebook"),
        (lambda f: (f / "kernels_dev.ipynb").write_text(""), "is not a notebook"),
        (lambda f: (f / "kernels_dev.ipynb").write_bytes(b" " * 20_000_001), "at most 20 MB"),
    ],
    ids=["a list", "empty", "bulky notebook"],
)
def test_what_is_refused_is_named(course, spoil, says):
    spoil(course.submitted / "ann" / A)
    record = grade_submission(hand_ins.HandIns(course, A).task("ann"))
    assert record["state"] == "refused" and says in record["reason"]
    assert {score for score, _ in record["scores"].values()} == {0.0}


def test_a_bulky_companion_is_left_out_by_name(course):
    (course.submitted / "ann" / A / "data.bin").write_bytes(b"0" * 20_000_001)
    task = hand_ins.HandIns(course, A).task("ann")
    assert task["about"]["left_out"] == ["data.bin (more than 10 MB)"]
    assert not task["companions"] and not task["refused"]


def test_a_time_that_is_none_is_for_the_instructor_to_put_right(course):
    (course.submitted / "ann" / A / "timestamp.txt").write_text("soon")
    with pytest.raises(hand_ins.Unready, match="holds no date"):
        hand_ins.HandIns(course, A).task("ann")


def test_a_task_is_data_and_holds_no_solution(course):
    task = hand_ins.HandIns(course, A).task("ann")
    assert json.loads(json.dumps(task)) == task
    released = json.dumps(task["release"])
    assert "### BEGIN HIDDEN TESTS" in released and "### BEGIN SOLUTION" not in released


def test_a_broken_newer_hand_in_keeps_the_earlier_grade(course, monkeypatch):
    monkeypatch.setattr(batch, "check_reference", lambda *_, **__: None)
    with Gradebook(course.gradebook_url) as book:
        book.add_student("ann")
        for grade in book.add_submission(A, "ann").notebooks[0].grades:
            grade.auto_score = grade.cell.max_score
        book.db.commit()
    (course.submitted / "ann" / A / "kernels_dev.ipynb").write_text("{")
    (outcome,) = batch.grade(course, A, workers=THREADS, function=FUNCTION)
    assert (outcome.state, outcome.score) == ("refused", 115)
    (row,) = report.report(course, A).rows
    assert row.score == 115 and row.state == "newer hand-in not graded"
    assert "is not a notebook" in row.reason


def test_remarks_say_what_was_put_right_and_what_hung():
    cells = dict(zip("abcd", ("hung", "died", "hung", "failed"), strict=True))
    said = batch._remarks({"state": "graded", "cells": cells, "restored": ["'test_x'"]})
    assert said == (
        "1 thing put right before grading; 2 cells ran too long; 1 cell ended the student's process"
    )
