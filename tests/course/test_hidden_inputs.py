"""What an answer learns in a hidden test does not come back to its author by the feedback page.

Each student's answer tells what it is called with in another way. All are graded in a sandbox.
"""

import os
import shutil
import subprocess
import sys
import textwrap

import nbformat
import pytest
from bs4 import BeautifulSoup
from class_courses import _cell, change, make_pair_course
from nbformat.v4 import new_code_cell
from nbgrader.apps import NbGraderAPI

from tinytorch.course import batch, cli, feedback_pages, report
from tinytorch.course.build import build
from tinytorch.course.isolation import named_cells
from tinytorch.course.release import generate
from tinytorch.course.submissions import hand_in

A, NB = "02_pair", "pair_dev"
SECRET, TWICE = "7340013", "14680026"
HIDDEN = {
    "values": "expect_values(double, np.full(20, 7340013), gives=np.full(20, 14680026), cause='c')",
    "repr": "hidden_name = 14680026\n"
    "got = double(7340013)\nassert got == hidden_name, f'of a large number: got {got!r}'",
    "text": "got = double(7340013)\nassert got == 14680026, f'of a large number: got {got}'",
    "attempt": "got = attempt(double, np.full(20, 7340013))\n"
    "assert np.all(got == 14680026), 'of a large number'",
    "errors": "expect_error(ValueError, double, 'word', mentions=('number',), cause='c')",
    "calls": "calls = []\ndouble(lambda v: calls.append(v) or 7340013)\n"
    "assert calls == [1], f'called with {calls}'",
    "says": "try:\n    double(7340013)\n    said = 'nothing'\nexcept Exception as error:\n"
    "    said = f'{type(error).__name__}: {error}'\nassert said == 'nothing', f'it raised {said}'",
}


def lesson():
    """An answer with hidden tests in the middle, and another with a visible test behind it."""
    text = "# ---\n# jupyter:\n#   kernelspec:\n#     display_name: Python 3\n"
    text += "#     language: python\n#     name: python3\n# ---\n\n"
    text += "# %%\n#| default_exp core.kernels\n\n"
    setup = "import numpy as np\nfrom tinytorch.lab.expect import attempt, expect_error, "
    text += _cell("setup_checks", f"{setup}expect_values", locked=True)
    solution = "    ### BEGIN SOLUTION\n    if isinstance(x, str):\n"
    solution += "        raise ValueError(f'{x!r} is no number')\n"
    solution += "    if callable(x):\n        return x(1)\n    return x + x\n    ### END SOLUTION"
    text += _cell("double", f"#| export\ndef double(x):\n{solution}", solution=True)
    text += _cell("test_double", "assert double(2) == 4", grade=True, locked=True, points=1)
    for name, source in HIDDEN.items():
        hidden = f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"
        text += _cell(f"test_double_hidden_{name}", hidden, grade=True, locked=True, points=1)
    two = "#| export\ndef two():\n    ### BEGIN SOLUTION\n    return 2\n    ### END SOLUTION"
    text += _cell("two", two, solution=True)
    check = "got = two()\nassert got == 2, f'got {got!r}'"
    return text + _cell("test_two", check, grade=True, locked=True, points=1)


TELL = """\
SEEN = []
def told(x):
    text = f"SEEN {x!r}"
    SEEN.append(text)
    return text
def later(*ways):
    "The next way at each call."
    ways[len(SEEN) % len(ways)]()
def throw(error):
    raise error
class Result:
    def __init__(self, x): self.x = x
    def __repr__(self): return told(self.x)
class Plain(Exception):
    def __str__(self): return SEEN[-1]
"""
# What `double` does with what it gets. After a line of dashes: what the answer `two` does in the
# cell behind, and what a cell at the end does.
WAYS = {
    "say": """
import logging, sys, traceback, warnings
print(told(x))
print(told(x), file=sys.stderr)
sys.__stdout__.write(told(x))
warnings.warn(told(x))
logging.getLogger().error(told(x))
display(told(x))
display({"text/html": told(x), "text/plain": told(x)}, raw=True)
try:
    throw(ValueError(told(x)))
except ValueError:
    traceback.print_exc()
""",
    "raise": """
text = told(x)
later(
    lambda: throw(ValueError(text)),
    lambda: throw(KeyError(text)),
    lambda: throw(AssertionError(text)),
    lambda: throw(NotImplementedError(text)),
    lambda: throw(type(text, (Exception,), {})(text)),
    lambda: throw(Plain()),
    lambda: throw(KeyboardInterrupt(text)),
)
""",
    "raise_others": """
text, note = told(x), ValueError(told(x))
note.add_note(text)
later(
    lambda: throw(type(text, (ValueError,), {"__str__": lambda e: text})()),
    lambda: throw(SyntaxError(text, (text, 1, 1, text))),
    lambda: throw(UnicodeDecodeError(text, b"a", 0, 1, text)),
    lambda: throw(OSError(2, text, text)),
    lambda: throw(ExceptionGroup(text, [ValueError(text)])),
    lambda: throw(note),
    lambda: throw(ValueError(x)),
)
""",
    "return_text": "return told(x)",
    "return_keys": "return {told(x): 1, (told(x),): [told(x)]}",
    "return_object": "return Result(x)",
    "return_class": "return type(told(x), (), {'__module__': '__main__'})()",
    "return_all": """
text = told(x)
plain = [text, text.encode(), bytearray(text.encode()), {text: text}, {text}, (text,)]
plain += [frozenset([text]), slice(text, text)]
return [*plain, Result(x), type(text, (), {"__module__": "__main__"})()]
""",
    "call_back": "return x(told(x(1)), **{told(x(1)): 1}) if callable(x) else told(x)",
    "later": """
import threading, time
def wait():
    time.sleep(0.1)
    print(SEEN)
threading.Thread(target=wait, daemon=True).start()
open("seen", "a").write(told(x))
-----
import time
from pathlib import Path
print(SEEN, Path("seen").read_text() if Path("seen").exists() else "")
def two():
    time.sleep(0.3)
    print(SEEN)
    raise ValueError(SEEN)
-----
print(SEEN)
raise ValueError(SEEN)
""",
    "later_result": """
open("/tmp/seen", "a").write(told(x))
import os; os._exit(1)
-----
import os
def two():
    return str(SEEN) + (open("/tmp/seen").read() if os.path.exists("/tmp/seen") else "")
print(two())
-----
[two(), SEEN]
""",
}


# What hidden tests, which run last, must not make worse: names that later cells use anew, and a
# process that ended in between.
HONEST = {
    "renamed": (
        "def twice(x): return x + x\ndef double(x):\n    if isinstance(x, str):\n"
        "        raise ValueError(f'{x} is no number')\n"
        "    return x(1) if callable(x) else twice(x)",
        "def twice(x): return 0\ndouble = np = None\ndef two(): return 2",
    ),
    "ended": (None, "import os; os._exit(1)"),
}


def answers(way):
    double, two, own = [part.strip() for part in (*WAYS[way].split("-----"), "", "")[:3]]
    source = f"{TELL}def double(x):\n    if isinstance(x, int) and x == 2: return 4\n"
    source += textwrap.indent(double, "    ") + "\n    return 0"
    return {"double": source} | ({"two": two} if two else {}), own


@pytest.fixture(scope="module")
def course(repo, tmp_path_factory, empty_gradebook, sandbox):
    """A course in which everybody tells in another way, graded."""
    project = make_pair_course(repo, tmp_path_factory.mktemp("told") / "course", empty_gradebook)
    (project.source / A / f"{NB}.py").write_text(lesson())
    parts = repo / "tinytorch" / "course", project.root / "tinytorch" / "course"
    shutil.copytree(*parts, ignore=shutil.ignore_patterns("__pycache__"))
    build(project)
    generate(project, A)
    hand_in(project, A, "right", {})
    for way in WAYS:
        found, own = answers(way)
        path = hand_in(project, A, way, found)
        if own:
            change(path, lambda notebook, _, own=own: notebook.cells.append(new_code_cell(own)))
    for student, pair in HONEST.items():
        found = dict(zip(("double", "two"), pair, strict=True))
        hand_in(project, A, student, {name: text for name, text in found.items() if text})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "check_reference", lambda *_, **__: None)
        outcomes = batch.grade(project, A, seed=0)
    assert {outcome.state for outcome in outcomes} == {"graded"}, outcomes
    assert {o.student: o.score for o in outcomes}["right"] == len(HIDDEN) + 2
    return project


def test_hidden_tests_meet_the_names_as_they_stood_where_the_tests_stand(course):
    scores = {row.student: row.score for row in report.report(course, A).rows}
    assert scores["renamed"] == len(HIDDEN) + 2
    assert scores["ended"] == len(HIDDEN) + 1


@pytest.fixture(scope="module")
def pages(course):
    """Everybody's feedback page as `tito feedback` writes it."""
    feedback_pages.feedback(course, A)
    return read_pages(course)


def read_pages(course):
    return {
        path.parent.parent.name: path.read_text(encoding="utf-8")
        for path in course.feedback.glob(f"*/{A}/{NB}.html")
    }


def assert_nothing_told(page):
    said = BeautifulSoup(page, "html.parser").get_text()
    for secret in (SECRET, TWICE, "SEEN '", "SEEN array", "hidden_name", "BEGIN HIDDEN"):
        assert secret not in said, said[max(0, said.index(secret) - 200) :][:400]


@pytest.mark.parametrize("way", WAYS)
def test_hidden_inputs_are_not_told(pages, way):
    assert_nothing_told(pages[way])


@pytest.mark.parametrize("way", ["say", "raise", "raise_others"])
def test_the_instructor_sees_what_an_answer_said(course, way):
    """In formgrader, that is; see the next test for feedback pages."""
    path = course.autograded / way / A / f"{NB}.ipynb"
    cell = named_cells(nbformat.read(path, as_version=4))["test_double_hidden_attempt"]
    text = "".join(output.get("text", "") for output in cell.outputs)
    assert "SEEN array" in text and SECRET in text


def test_a_sentence_still_says_what_was_tried_and_what_came_back(pages):
    said = BeautifulSoup(pages["raise"], "html.parser").get_text()
    assert "tried double(an array of shape (20,), int64): got KeyError, expected" in said
    said = BeautifulSoup(pages["return_text"], "html.parser").get_text()
    assert "got <a text of 12 characters>" in said


@pytest.mark.parametrize("command", ["tito", "nbgrader", "nbgrader autograde"])
def test_it_is_so_whoever_makes_the_page(course, command, monkeypatch):
    shutil.rmtree(course.feedback, ignore_errors=True)
    if command == "nbgrader autograde":
        path = "tinytorch.course.preprocessors.check_reference"
        monkeypatch.setattr(path, lambda *_, **__: None)
        api = NbGraderAPI(config=course.nbgrader_config())
        assert api.autograde(A, "say", force=True)["success"]
        assert api.autograde(A, "raise", force=True)["success"]
    if command == "tito":
        monkeypatch.setattr(sys, "argv", ["tito", "--root", str(course.root), "feedback", A])
        with pytest.raises(SystemExit, match="0"):
            cli.main()
    else:
        words = [sys.executable, "-m", "nbgrader", "generate_feedback", A]
        environment = {**os.environ, "PYTHONPATH": str(course.root)}
        subprocess.run(words, cwd=course.root, env=environment, check=True, capture_output=True)
    pages = read_pages(course)
    assert set(pages) == {"right", *WAYS, *HONEST}
    for page in pages.values():
        assert_nothing_told(page)


def test_whoever_asks_for_hidden_tests_sees_all(course):
    feedback_pages.feedback(course, A, show_hidden=True)
    said = BeautifulSoup(read_pages(course)["say"], "html.parser").get_text()
    assert f"SEEN {SECRET}" in said and "hidden_name" in said
