"""The files that learning platforms import."""

import csv

import pytest

from tinytorch.course import platforms
from tinytorch.course.report import CellGrade, Report, Row

PEOPLE = {"ann": platforms.Person("Lee, Ann", "ann@example.org", "77")}
ROWS = [
    Row("ann", "graded", None, 3.0, 5.0, [CellGrade("test_a", 3.0, 5.0, False)], penalty=0.5),
    Row("bob", "refused", None, 0.0, 5.0, [CellGrade("test_a", 0.0, 5.0, False)], reason="a, b"),
    Row("cy", "not graded", None, None, 5.0),
    Row("dee", "needs reading", None, 0.0, 5.0, [CellGrade("test_a", 0.0, 5.0, True)]),
]
FOUND = Report("11_kernels", {"a": 5.0}, {"test_a": "a"}, ROWS)


def written(tmp_path, format):
    path = tmp_path / f"{format}.csv"
    platforms.write(FOUND, PEOPLE, path, format)
    with path.open(newline="") as file:
        return list(csv.reader(file)), path.read_text()


def test_canvas(tmp_path):
    lines, _ = written(tmp_path, "canvas")
    assert lines == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "11_kernels"],
        ["Points Possible", "", "", "", "", "5.0"],
        ["Lee, Ann", "77", "", "ann", "", "2.5"],
        ["bob", "", "", "bob", "", "0.0"],
        ["cy", "", "", "cy", "", ""],
        ["dee", "", "", "dee", "", ""],
    ]


def test_moodle(tmp_path):
    lines, _ = written(tmp_path, "moodle")
    assert lines == [
        ["username", "email", "11_kernels", "11_kernels (feedback)"],
        ["ann", "ann@example.org", "2.5", ""],
        ["bob", "", "0.0", "a, b"],
        ["cy", "", "", ""],
        ["dee", "", "", ""],
    ]


def test_blackboard_wants_quotation_marks_everywhere(tmp_path):
    _, text = written(tmp_path, "blackboard")
    assert text.splitlines() == [
        '"Username","11_kernels [Total Pts: 5]"',
        '"ann","2.5"',
        '"bob","0.0"',
        '"cy",""',
        '"dee",""',
    ]


def test_plain_says_the_reason(tmp_path):
    lines, _ = written(tmp_path, "plain")
    assert lines[2][-1] == "a, b"


@pytest.mark.parametrize("format", ["canvas", "moodle", "blackboard"])
def test_tito_writes_it(little_class, tito, tmp_path, format):
    path = tmp_path / "grades.csv"
    words = ("report", "01_double", "--csv", path, "--format", format)
    code, out, err = tito("--root", little_class.root, *words)
    assert code == 0, err
    assert path.read_text() and "written to" in out


def test_tito_prints_the_audit(little_class, tito, tmp_path):
    from class_courses import A, grade, write_class

    write_class(little_class, ["ann"])
    grade(little_class, seed=3, trusted=True)
    path = tmp_path / "audit.json"
    code, out, err = tito("--root", little_class.root, "report", A, "--audit", "--json", path)
    assert code == 0, err
    assert "seed 3" in out and "--trust-submissions: 1 of 1" in out
    assert '"seed": 3' in path.read_text()
