"""The seed of a grading run, and where it is kept."""

import pytest

from tinytorch.course import seeds
from tinytorch.course.project import Project
from tinytorch.lab import expect


@pytest.fixture
def course(tmp_path) -> Project:
    return Project(tmp_path)


def test_the_tests_read_what_the_grader_sets():
    assert seeds.VARIABLE == expect.SEED


def test_a_run_has_one_seed():
    assert seeds.of_this_run() == seeds.of_this_run() <= seeds.LARGEST


def test_a_seed_is_kept_for_each_student(course):
    assert seeds.recorded(course, "11_kernels", "ann") is None
    seeds.record(course, "11_kernels", "ann", 5)
    seeds.record(course, "11_kernels", "bob", 6)
    assert seeds.recorded(course, "11_kernels", "ann") == 5


@pytest.mark.parametrize("text", ["", "{", "[]", '{"seed": "5"}', '{"seed": -1}', '{"seed": 1e99}'])
def test_a_spoilt_record_counts_as_none(course, text):
    seeds.record(course, "11_kernels", "ann", 5)
    (course.autograded / "ann" / "11_kernels.seed.json").write_text(text)
    assert seeds.recorded(course, "11_kernels", "ann") is None
