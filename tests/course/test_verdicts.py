"""What counts as a finding, and which messages name a cause."""

from pathlib import Path

import pytest

from tinytorch.course.corpus import Entry
from tinytorch.course.trial import Lesson, Outcome, TestCell, Tried
from tinytorch.course.verdicts import behaviour_of, judge, unexplained, unstable

SENTENCE = "got 5, expected 4: was x added twice?"
TESTS = [
    TestCell("test_double", 1, "double"),
    TestCell("test_double_hidden_values", 2, "double"),
    TestCell("test_triple", 4, "triple"),
    TestCell("test_triple_hidden_values", 0, "triple"),
]
LESSON = Lesson(tests={test.grade_id: test for test in TESTS}, answers={"double": 0, "triple": 1})


def entry(wrong=True, loses=("values",)):
    return Entry(Path("e.py"), "double", "e", wrong, "why", loses if wrong else (), (), "", ())


def failed(grade_id, message=SENTENCE, error="AssertionError"):
    return Outcome(grade_id, "failed", error, message, raised_in=grade_id)


def tried(*lost, broken=()):
    names = {outcome.label for outcome in lost}
    kept = [Outcome(name, "passed") for name in LESSON.tests if name not in names]
    return Tried("double/e", {o.label: o for o in [*kept, *lost]}, tuple(broken), 0.1)


def kinds(entry, tried):
    return [finding.kind for finding in judge(LESSON, entry, tried)]


def test_behaviours_are_named_by_the_grade_id():
    assert [behaviour_of(test) for test in TESTS[:2]] == ["visible", "values"]
    assert behaviour_of(TestCell("test_double_hidden", 1, "double")) == "hidden"


def test_a_wrong_answer_that_loses_what_it_should_is_no_finding():
    assert kinds(entry(), tried(failed("test_double_hidden_values"))) == []
    more = tried(failed("test_double"), failed("test_double_hidden_values"))
    assert kinds(entry(), more) == []


def test_a_right_answer_with_full_marks_is_no_finding():
    assert kinds(entry(wrong=False), tried()) == []


def test_full_marks_for_a_wrong_answer_are_an_escape():
    assert kinds(entry(), tried()) == ["ESCAPE"]


def test_what_a_right_answer_loses_is_a_false_alarm():
    lost = tried(failed("test_double"), failed("test_triple"))
    assert kinds(entry(wrong=False), lost) == ["FALSE ALARM", "FALSE ALARM"]


def test_what_it_costs_another_question_is_a_spill():
    lost = tried(failed("test_double_hidden_values"), failed("test_triple"))
    assert kinds(entry(), lost) == ["SPILL"]


def test_a_test_without_points_costs_nothing():
    lost = tried(failed("test_double_hidden_values"), failed("test_triple_hidden_values"))
    assert kinds(entry(), lost) == []


def test_a_behaviour_that_is_kept_although_declared_is_a_mismatch():
    assert kinds(entry(loses=("values", "visible")), tried(failed("test_double"))) == ["MISMATCH"]
    assert kinds(entry(loses=("errors",)), tried(failed("test_double"))) == ["MISMATCH"]


def test_a_loss_without_a_cause_is_a_finding():
    lost = tried(failed("test_double_hidden_values", message=""))
    assert kinds(entry(), lost) == ["UNEXPLAINED"]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome("t", "failed", "AssertionError", SENTENCE, "t"), ""),
        (Outcome("t", "failed", "AssertionError", SENTENCE, "t", "tinytorch.lab.expect"), ""),
        (Outcome("t", "failed", "AssertionError", "", "t"), "bare assert"),
        (Outcome("t", "failed", "AssertionError", "  \n", "t"), "bare assert"),
        (Outcome("t", "failed", "AssertionError", "got 5, expected 4", "t"), "no sentence"),
        (Outcome("t", "failed", "AssertionError", "(3, 4) float32", "t"), "no sentence"),
        (
            Outcome("t", "failed", "AssertionError", "Arrays are not equal: shape mismatch here",
                    "t", "numpy.testing._private.utils"),
            "says that values differ",
        ),
        (Outcome("t", "failed", "AttributeError", "no attribute 'data'", "t"), "test itself"),
        (Outcome("t", "failed", "TypeError", "unhashable", "t", "numpy"), "raised by numpy"),
        (Outcome("t", "failed", "IndexError", "out of range", ""), "test itself"),
        (Outcome("t", "failed", "NameError", "name 'double' is not defined", "t"), "test itself"),
        (Outcome("t", "failed", "TypeError", "bad operand", "student:double"), ""),
        (Outcome("t", "failed", "AssertionError", "", "student:double"), ""),
        (Outcome("t", "failed", "ValueError", "", "student:before", "numpy"), ""),
        (Outcome("t", "hung", "CellTimeoutError", "Stopped after 20 s"), ""),
        (Outcome("t", "died", "KernelDied", "the kernel died"), ""),
    ],
)  # fmt: skip
def test_which_messages_name_a_cause(outcome, said):
    why = unexplained(outcome, "double")
    assert said in why and bool(said) == bool(why)


def test_a_missing_answer_is_explained_by_the_cell_that_failed():
    missing = Outcome("t", "failed", "NameError", "name 'double' is not defined", "t")
    broken = [Outcome("student:double", "failed", "SyntaxError", "invalid syntax")]
    assert unexplained(missing, "double", broken) == ""
    assert unexplained(missing, "triple", broken) != ""


def test_scores_that_change_are_unstable():
    same = tried(failed("test_double"))
    assert unstable([entry()], [[same], [tried(failed("test_double", "another text"))]]) == []
    (finding,) = unstable([entry()], [[same], [tried()]])
    assert finding.kind == "UNSTABLE" and "test_double" in finding.what
