"""The whole demo, once: from the lesson to grades, with ten students."""

import csv

import pytest

from tinytorch.course.demo import run_demo
from tinytorch.course.project import Project

ALL = 100  # points of the nine kernels and the expert four


@pytest.fixture(scope="session")
def demo(released, repo, tmp_path_factory):
    """The demo in a copy of the course; its folder is build/demo."""
    import shutil

    root = tmp_path_factory.mktemp("demo") / "course"
    shutil.copytree(released.root, root)
    shutil.copytree(
        repo / "tests" / "submissions" / "demo_class", root / "tests/submissions/demo_class"
    )
    project = Project(root)
    return project, run_demo(project)


@pytest.fixture(scope="session")
def points(demo):
    """Points per student and answer; None where nothing was graded."""
    grades = demo[1].grades
    return {row.student: grades.by_answer(row) for row in grades.rows}


def lost(demo, points, student):
    most = demo[1].grades.answers
    return {name for name, p in points[student].items() if p is not None and p < most[name]}


def test_the_class_is_graded_as_expected(demo):
    scores = {outcome.student: outcome.score for outcome in demo[1].outcomes}
    assert len(scores) == 10
    assert scores["ana"] == scores["hana"] == ALL
    assert scores["chen"] == scores["ivo"] == 0
    assert scores["jun"] == 0
    assert {o.student: o.state for o in demo[1].outcomes}["jun"] == "refused"


@pytest.mark.parametrize(
    ("student", "answers"),
    [
        ("ben", {"vectorized_relu", "cache_friendly_matmul", "quantized_relu"}),
        ("dara", {"quantized_matmul"}),
        ("eli", {"cache_friendly_matmul"}),
        ("fay", {"parallel_batch_processing"}),
        ("gus", {"matmul_baseline", "parallel_relu", "quantized_matmul"}),
    ],
)
def test_only_the_bad_answers_lose_points(demo, points, student, answers):
    assert lost(demo, points, student) == answers


def test_every_student_is_explained(demo):
    assert set(demo[1].about) == {outcome.student for outcome in demo[1].outcomes}
    assert all(demo[1].about.values())


def test_what_it_says_it_made_is_there(demo):
    assert [what for what, path in demo[1].made if not path.is_file()] == []


def test_the_csv_has_the_class(demo):
    project, _ = demo
    with (project.build / "demo" / "grades.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 10
    assert {line["student"]: line["score"] for line in lines}["ana"] == str(float(ALL))


def test_the_course_itself_is_left_alone(demo):
    project, _ = demo
    assert not project.submitted.exists()
    assert not project.autograded.exists()


def test_the_digits_run_on_a_students_kernels(demo):
    assert "int8" in demo[1].digits
