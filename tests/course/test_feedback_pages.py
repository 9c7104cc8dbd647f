"""Feedback pages are written by several processes, each page whole and the same as by one."""

import class_tasks
import pytest
from bs4 import BeautifulSoup
from class_courses import NB, A, grade, write_class, write_empty_gradebook
from nbgrader.api import Gradebook

from tinytorch.course import feedback_pages
from tinytorch.course.batch import Stopped
from tinytorch.course.feedback_pages import feedback
from tinytorch.course.project import CourseError

NAMES = ["ann", "bob", "cy", "dee"]


@pytest.fixture
def course(little_class):
    write_class(little_class, NAMES, wrong={"bob"})
    grade(little_class)
    return little_class


def pages(course):
    return [(course.feedback / name / A / f"{NB}.html").read_bytes() for name in NAMES]


def test_many_processes_write_what_one_writes(course, monkeypatch):
    monkeypatch.setattr(feedback_pages, "_FEW", len(NAMES))
    feedback(course, A)
    by_one = pages(course)
    monkeypatch.undo()
    seen = []
    outcomes = feedback(course, A, lambda *step: seen.append(step[:2]), workers=2)
    assert [(o.student, o.state, o.score) for o in outcomes] == [
        ("ann", "graded", 3), ("bob", "graded", 1), ("cy", "graded", 3), ("dee", "graded", 3),
    ]  # fmt: skip
    assert pages(course) == by_one
    assert seen == [(done, 4) for done in range(5)]


def test_a_process_that_is_killed_is_said_and_the_command_can_be_given_again(course, monkeypatch):
    monkeypatch.setattr(feedback_pages, "_page", class_tasks.dies)
    outcomes = feedback(course, A, workers=2)
    assert [outcome.state for outcome in outcomes] == ["failed"] * 4
    assert all("run this again" in outcome.message for outcome in outcomes)
    monkeypatch.undo()
    assert {outcome.state for outcome in feedback(course, A)} == {"graded"}


def test_who_stops_it_learns_what_was_written(course):
    def stop_after_one(done, *_):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(Stopped) as stopped:
        feedback(course, A, stop_after_one, workers=1)
    assert len(stopped.value.outcomes) == 1


def test_a_page_that_cannot_be_made_anew_stays(course):
    feedback(course, A)
    before = pages(course)
    with Gradebook(course.gradebook_url) as book:
        book.remove_submission(A, "bob")
    outcomes = {outcome.student: outcome for outcome in feedback(course, A)}
    assert outcomes["bob"].state == "failed" and "tito grade" in outcomes["bob"].message
    assert pages(course)[1] == before[1]


def test_a_gradebook_without_the_release_is_said_before_any_page_is_touched(course):
    feedback(course, A)
    before = pages(course)
    (course.root / "gradebook.db").unlink()
    write_empty_gradebook(course.root / "gradebook.db")
    with pytest.raises(CourseError, match="has not been released"):
        feedback(course, A)
    assert pages(course) == before


def test_one_student_alone(course):
    (outcome,) = feedback(course, A, students=["cy"])
    assert outcome.student == "cy"
    assert [path.parent.parent.name for path in course.feedback.glob(f"*/{A}/*.html")] == ["cy"]
    with pytest.raises(CourseError, match="eve: not graded yet"):
        feedback(course, A, students=["eve"])


def test_the_list_of_scores_has_names_and_what_was_lost_stands_out(course):
    feedback(course, A)
    page = BeautifulSoup(pages(course)[1], "html.parser")
    assert page.select_one("h4").text.startswith("bob: ")
    said = {entry.a.text: "lost" in entry.get("class", []) for entry in page.select("#toc li")}
    assert said == {"test_double": False, "test_double_hidden": True}
