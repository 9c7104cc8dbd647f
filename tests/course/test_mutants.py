"""The list of small changes, one by one, and what is made of survivors."""

import ast

import pytest

from tinytorch.course.mutants import Reason, read_reasons, reasons_file, sort_out
from tinytorch.course.mutations import Mutant, mutants_of
from tinytorch.course.project import CourseError, Project


def changed(line, operator):
    """What the operator makes of one line in a function."""
    source = f"def f(a, b):\n    for i in a:\n        {line}"
    before = ast.unparse(ast.parse(source)).split("\n")[2].strip()
    found = []
    for mutant in mutants_of("f", source):
        head, *diff = mutant.diff.split("\n")
        assert head == "@@ f"
        if mutant.operator == operator and f"-        {before}" in diff:
            found += [row[1:].strip() for row in diff if row.startswith("+")]
    return found


@pytest.mark.parametrize(
    ("line", "operator", "made"),
    [
        ("a < b", "comparison swapped", ["a <= b", "a >= b"]),
        ("a != b", "comparison swapped", ["a == b"]),
        ("a is b", "comparison swapped", ["a is not b"]),
        ("a not in b", "comparison swapped", ["a in b"]),
        ("a + b", "arithmetic swapped", ["a - b"]),
        ("a @ b", "arithmetic swapped", ["a * b"]),
        ("a += b", "arithmetic swapped", ["a -= b"]),
        ("-a", "minus dropped", ["+a"]),
        ("a[3]", "constant + 1", ["a[4]"]),
        ("a[3]", "constant - 1", ["a[2]"]),
        ("f(True, 'x')", "constant flipped", ["f(False, 'x')"]),
        ("a and b", "and / or swapped", ["a or b"]),
        ("a if b else i", "condition negated", ["a if not b else i"]),
        ("[x for x in a if x]", "condition negated", ["[x for x in a if not x]"]),
        ("a = b", "statement deleted", ["pass"]),
        ("a.append(b)", "statement deleted", ["pass"]),
        ("raise a", "statement deleted", ["pass"]),
        ("return a", "None returned", ["return None"]),
        ("f(a, out=b)", "out dropped", ["f(a)"]),
        ("f(**b)", "** dropped", ["f()"]),
        ("f(*b)", "*arguments dropped", ["f()"]),
        ("min(a, b)", "min / max swapped", ["max(a, b)"]),
        ("np.maximum(a, b)", "min / max swapped", ["np.minimum(a, b)"]),
        ("a[i:b]", "slice begins later", ["a[i + 1:b]"]),
        ("a[i:b]", "slice's begin dropped", ["a[:b]"]),
        ("a[i:b]", "slice ends earlier", ["a[i:b - 1]"]),
        ("a[i:b]", "slice's end dropped", ["a[i:]"]),
        ("range(a)", "range ends earlier", ["range(a - 1)"]),
        ("range(a)", "range begins later", ["range(1, a)"]),
        ("range(a, b, 2)", "range begins later", ["range(a + 1, b, 2)"]),
        ("range(a, b, 2)", "range's step dropped", ["range(a, b)"]),
        ("break", "break to continue", ["continue"]),
        ("continue", "continue to break", ["break"]),
    ],
)
def test_an_operator_changes_one_thing(line, operator, made):
    assert changed(line, operator) == made


def test_defaults_change():
    source = "def f(a=3, b=None, *, c=True):\n    pass"
    made = {mutant.diff.split("\n")[-1] for mutant in mutants_of("f", source)}
    assert made == {
        "+def f(a=4, b=None, *, c=True):",
        "+def f(a=2, b=None, *, c=True):",
        "+def f(a=3, b=1, *, c=True):",
        "+def f(a=3, b=None, *, c=False):",
    }


def test_what_only_tells_the_reader_something_stays():
    source = 'def f(a: int | 3, b: "x" = ...) -> 4:\n    """Text."""\n    a: 5\n'
    assert mutants_of("f", source) == []


def test_no_two_mutants_are_alike_and_none_is_the_original():
    source = "def f(x):\n    if x is None:\n        return 1 + x\n    return min(x, 2)\n"
    texts = [mutant.source for mutant in mutants_of("f", source)]
    assert len(texts) == len(set(texts)) and ast.unparse(ast.parse(source)) not in texts


def test_a_diff_names_the_function_it_is_in():
    source = "class P:\n    def f(self):\n        return 1\n\nx = 2"
    heads = {mutant.diff.split("\n")[0] for mutant in mutants_of("P", source)}
    assert heads == {"@@ P.f", "@@ the cell"}


def mutant(diff, answer="f"):
    return Mutant(answer, "constant + 1", diff, "")


def test_survivors_are_explained_by_their_diff_or_a_pattern():
    one, two, three = (mutant(f"@@ f\n-a\n+{n}") for n in (1, 2, 3))
    reasons = [Reason("f", "why", diff="@@ f\n-a\n+1\n"), Reason("f", "why", pattern=r"\+[12]$")]
    report = sort_out([one, two, three], [False, False, False], reasons, ["f"])
    assert (report.explained, report.unexplained) == ([one, two], [three])
    assert report.stale == [] and report.rows()["in all"] == (3, 0, 2, 1)


def test_an_explanation_of_what_is_killed_is_stale():
    gone, elsewhere = Reason("f", "why", pattern="a"), Reason("g", "why", pattern="a")
    report = sort_out([mutant("a")], [True], [gone, elsewhere], ["f"])
    assert len(report.killed) == 1 and report.stale == [gone]


def test_an_explanation_holds_for_its_own_answer_only():
    report = sort_out([mutant("a")], [False], [Reason("g", "why", pattern="a")], ["f"])
    assert len(report.unexplained) == 1


def test_explanations_are_read(tmp_path):
    path = tmp_path / "reasons.toml"
    assert read_reasons(path) == []
    path.write_text('[[equivalent]]\nanswer = "f"\nreason = "why"\ndiff = """\n-a\n+b"""\n')
    assert read_reasons(path) == [Reason("f", "why", diff="-a\n+b")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[", "cannot be read"),
        ('[[equivalent]]\nanswer = "f"', "needs an answer and a reason"),
        ('[[equivalent]]\nanswer = "f"\nreason = "x"', "either a diff or a pattern"),
        ('[[equivalent]]\nanswer = "f"\nreason = "x"\ndiff = "a"\npattern = "a"', "either a diff"),
        ('[[equivalent]]\nanswer = "f"\nreason = "x"\npattern = "("', "no regular expression"),
        ('[[equivalent]]\nanswer = "f"\nreason = "x"\nline = 3', "has line"),
    ],
)
def test_a_malformed_explanation_is_named(tmp_path, text, message):
    path = tmp_path / "reasons.toml"
    path.write_text(text)
    with pytest.raises(CourseError, match=message):
        read_reasons(path)


def test_the_courses_explanations_can_be_read(repo):
    read_reasons(reasons_file(Project(repo)))


def test_every_reason_of_the_lesson_is_a_sentence(repo):
    reasons = read_reasons(repo / "tests/submissions/mutants_explained.toml")
    assert len(reasons) > 40
    assert [r for r in reasons if len(r.reason.split()) < 5 or not r.reason.endswith(".")] == []
