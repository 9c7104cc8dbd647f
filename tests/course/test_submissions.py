"""Files of answers, and the notebooks that are made from them."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tinytorch.course import submissions
from tinytorch.course.isolation import named_cells
from tinytorch.course.project import CourseError

META = {"grade": False, "locked": False, "schema_version": 3, "task": False}
FILE = """\
# base: stubs
# Half of it.

# %% double
def double(x):
    return 2 * x

# %% [markdown] answer_why
Because.
"""


@pytest.fixture
def released(tmp_path):
    def meta(grade_id, solution=True):
        return {"nbgrader": {**META, "solution": solution, "grade_id": grade_id}}

    cells = [
        new_code_cell("def double(x): ...", metadata=meta("double")),
        new_code_cell("assert 1", metadata=meta("t", solution=False)),
        new_markdown_cell("?", metadata=meta("answer_why")),
    ]
    path = tmp_path / "double_dev.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def read(tmp_path, text):
    path = tmp_path / "ann.py"
    path.write_text(text)
    return submissions.read_answers(path)


def test_a_file_of_answers_is_read(tmp_path):
    base, about, answers = read(tmp_path, FILE)
    assert (base, about) == ("stubs", "Half of it.")
    assert answers == {"double": "def double(x):\n    return 2 * x", "answer_why": "Because."}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must begin with"),
        ("# base: best\n# x", "must begin with"),
        ("# base: stubs\n", "one line about itself"),
        (FILE + "\n# %% double\n", "answers 'double' twice"),
    ],
)
def test_a_bad_file_of_answers_is_named(tmp_path, text, message):
    with pytest.raises(CourseError, match=message) as caught:
        read(tmp_path, text)
    assert "ann.py" in str(caught.value)


def test_answers_replace_only_their_cells(released):
    notebook = submissions.submission(released, {"double": "double = abs"})
    cells = named_cells(notebook)
    assert [cells[name].source for name in cells] == ["double = abs", "assert 1", "?"]


def test_a_test_cell_is_no_answer(released):
    with pytest.raises(CourseError, match="no answer cell t"):
        submissions.submission(released, {"t": "pass"})


def test_no_release_is_said(tmp_path):
    with pytest.raises(CourseError, match="tito release"):
        submissions.submission(tmp_path / "double_dev.ipynb", {})


def test_reference_answers_have_no_markers(released):
    notebook = nbformat.read(released, as_version=4)
    notebook.cells[
        0
    ].source = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    nbformat.write(notebook, released)
    answers = submissions.reference_answers(released)
    assert answers == {"double": "def f():\n    return 1", "answer_why": "?"}


def test_the_demo_class_answers_what_the_lesson_asks(repo):
    from tinytorch.course.lesson import read_lesson
    from tinytorch.course.project import Project

    cells = named_cells(read_lesson(Project(repo).script("11_kernels")))
    files = sorted((repo / "tests" / "submissions" / "demo_class").glob("*.py"))
    assert len(files) == 9
    for file in files:
        for grade_id in submissions.read_answers(file).answers:
            assert cells[grade_id].metadata.nbgrader.solution, f"{file.name}: {grade_id}"
