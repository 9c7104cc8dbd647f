"""`tito validate-tests` and `tito mutate` as they are typed."""

import json

import pytest
from trial_lesson import CELLS, A, write_entry, write_lesson

RIGHT = "# right: by a sum\n# %%\ndef double(x):\n    return x + x\n"
WRONG = (
    "# wrong: what is below zero comes back as it is\n# loses: values\n"
    "# %%\ndef double(x):\n    return x if x == -3 else 2 * x\n"
)


@pytest.fixture
def course(tiny):
    write_lesson(tiny)
    return tiny


@pytest.fixture
def validate(course, tito, tmp_path):
    """Validate a corpus of these entries of `double`."""

    def run(*words, **entries):
        for slug, text in entries.items():
            write_entry(tmp_path / "corpus", "double", slug, text)
        folder = tmp_path / "corpus"
        return tito("--root", course.root, "validate-tests", A, "--corpus", folder, *words)

    return run


def test_a_corpus_that_is_told_apart_is_exit_0(validate, tmp_path):
    code, out, err = validate("--json", tmp_path / "all.json", right=RIGHT, wrong=WRONG)
    assert code == 0, out + err
    assert "wrong answers caught          1 of 1" in out
    assert "right answers with full marks 1 of 1" in out
    rows = {
        line.split()[1]: line.split() for line in out.splitlines() if line[:5] in ("right", "wrong")
    }
    assert rows["right"][2:5] == ["1", "2", "3"] and rows["wrong"][2:5] == ["1", "0", "3"]
    told = json.loads((tmp_path / "all.json").read_text())
    assert told["summary"]["caught"] == 1 and told["findings"] == []
    wrong = next(e for e in told["entries"] if e["wrong"])
    assert wrong["tests"]["test_double_hidden_values"]["score"] == 0


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("ESCAPE", WRONG.replace("-3", "-4")),
        ("FALSE ALARM", WRONG.replace("# wrong", "# right").replace("# loses: values\n", "")),
        ("SPILL", WRONG + "def negative(x):\n    return x\n"),
        ("MISMATCH", WRONG.replace("loses: values", "loses: values, errors")),
        ("UNEXPLAINED", WRONG.replace("x == -3", "x in (-3, 'a')")),
    ],
)
def test_each_finding_is_exit_1(validate, kind, entry):
    code, out, err = validate(entry=entry)
    assert code == 1
    assert f"{kind:11} double/entry: " in out
    assert "1 findings" in err


def test_scores_that_change_from_run_to_run_are_found(validate, tmp_path):
    seen = tmp_path / "seen"
    moody = WRONG.replace(
        "# %%\n",
        f"""# %%
first = not os.path.exists({str(seen)!r})
open({str(seen)!r}, "w").close()
# %%
""",
    ).replace("x == -3", "first and x == -3")
    code, out, _ = validate("--repeat", "2", entry=moody)
    assert code == 1 and "UNSTABLE    double/entry: in 2 runs" in out
    assert "1 entries unlike the first double/entry" in out


def test_every_repeat_may_have_a_seed_of_its_own(validate):
    fickle = WRONG.replace("x == -3", "os.environ['TINYTORCH_GRADING_SEED'] == '7' and x == -3")
    assert validate("--repeat", "2", "--seed", "7", entry=fickle)[0] == 0
    code, out, _ = validate("--repeat", "2", "--seed", "7", "--vary-seed", entry=fickle)
    assert code == 1 and "UNSTABLE    double/entry: in 2 runs" in out


def test_a_malformed_entry_is_exit_1_with_its_line(validate):
    code, _, err = validate(entry="# wrong: x\n# %%\n")
    assert code == 1 and "entry.py:2: " in err and "Traceback" not in err


def test_an_answer_that_is_not_asked_for_is_refused(validate):
    code, _, err = validate("--only", "quadruple", right=RIGHT)
    assert code == 1 and "asks for no quadruple" in err


def test_an_unbuilt_lesson_says_what_to_do(course, tito):
    course.notebook(A).unlink()
    code, _, err = tito("--root", course.root, "validate-tests", A)
    assert code == 1 and "tito build" in err


@pytest.fixture
def mutate(tiny, tito):
    """Mutate a reference that doubles; `test` is its only test."""

    def run(test, *words, reasons=""):
        answer = CELLS[2].replace(
            "return 2 * x", "if x < 0:\n        return -double(-x)\n    return 2 * x"
        )
        write_lesson(tiny, [CELLS[0], answer, CELLS[3].replace("assert double(2) == 4", test)])
        path = tiny.root / "tests" / "submissions" / "mutants_explained.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(reasons)
        return tito("--root", tiny.root, "mutate", A, *words)

    return run


GOOD = "assert [double(x) for x in (2, -3, -1, 0, 1)] == [4, -6, -2, 0, 2]"
EXPLAINED = """
[[equivalent]]
answer = "double"
pattern = "x < -1:"
reason = "minus one is doubled like the rest"
"""


def test_an_unexplained_survivor_is_exit_1(mutate):
    code, out, err = mutate(GOOD)
    assert code == 1
    assert "double: constant - 1\n@@ double\n-    if x < 0:\n+    if x < -1:" in out
    assert "nobody explains" in err


def test_explained_survivors_are_exit_0(mutate):
    code, out, err = mutate(GOOD, reasons=EXPLAINED)
    assert code == 0, out + err
    assert out.splitlines()[-2].split()[:2] == ["in", "all"]


def test_a_stale_explanation_is_exit_1(mutate):
    stale = '[[equivalent]]\nanswer = "double"\ndiff = "@@ double"\nreason = "gone"\n'
    code, out, _ = mutate(GOOD, reasons=EXPLAINED + stale)
    assert code == 1 and "stale: double: @@ double (gone)" in out
