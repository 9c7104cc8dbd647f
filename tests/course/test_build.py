"""The lesson's .py is the truth: what is made from it, when, and what is refused."""

import json
import os
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupytext.config import load_jupytext_config

from tinytorch.course.build import build
from tinytorch.course.lesson import notebook_text, read_lesson, script_text
from tinytorch.course.project import CourseError, Project

REPO = Project.find(Path(__file__))


def everything(project) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(project.root)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in project.root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_building_makes_the_pair_and_the_module(tiny):
    assert build(tiny) == [tiny.notebook("01_double"), tiny.exported]
    assert tiny.notebook("01_double").read_bytes().endswith(b"}\n")


def test_building_twice_changes_nothing_and_touches_nothing(tiny):
    build(tiny)
    before = everything(tiny)
    assert build(tiny) == []
    assert everything(tiny) == before


def test_the_script_is_never_older_than_the_notebook(tiny):
    os.utime(tiny.script("01_double"), (1, 1))
    build(tiny)
    script, notebook = tiny.script("01_double"), tiny.notebook("01_double")
    assert script.stat().st_mtime_ns > notebook.stat().st_mtime_ns


def test_cell_ids_are_grade_ids_or_made_of_the_content(tiny):
    build(tiny)
    cells = nbformat.read(tiny.notebook("01_double"), as_version=4).cells
    assert [cell.id for cell in cells] == [
        "doubling",
        "setup_export",
        "double",
        "test_double",
        "test_double_hidden",
        "what-now",
        "what-now-2",
    ]


def test_a_heading_cannot_take_a_grade_id(tiny, edit_lesson):
    edit_lesson("# # Doubling", "# # double")
    cells = read_lesson(tiny.script("01_double")).cells
    assert [cell.id for cell in cells][:3] == ["double-2", "setup_export", "double"]


def test_outputs_and_ids_of_an_edited_notebook_are_replaced(tiny):
    build(tiny)
    path = tiny.notebook("01_double")
    clean = path.read_bytes()
    notebook = json.loads(clean)
    notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "hm"}]
    notebook["cells"][1]["id"] = "changed"
    path.write_text(json.dumps(notebook))
    assert build(tiny) == [path]
    assert path.read_bytes() == clean


def test_the_notebook_starts_the_python3_kernel_and_is_a_valid_notebook(tiny):
    build(tiny)
    notebook = nbformat.read(tiny.notebook("01_double"), as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("name", REPO.assignments())
def test_the_real_lesson_survives_the_round_trip(name):
    script = REPO.script(name)
    text = notebook_text(read_lesson(script), script)
    back = jupytext.reads(text, fmt="ipynb", config=load_jupytext_config(str(script)))
    assert script_text(back, script) == script.read_text(encoding="utf-8")


def test_check_names_what_is_missing_and_writes_nothing(tiny):
    before = everything(tiny)
    assert build(tiny, check=True) == [tiny.notebook("01_double"), tiny.exported]
    assert everything(tiny) == before


def test_check_is_content_after_a_build(tiny):
    build(tiny)
    before = everything(tiny)
    assert build(tiny, check=True) == []
    assert everything(tiny) == before


def test_check_compares_contents_not_dates(tiny):
    build(tiny)
    os.utime(tiny.script("01_double"))
    assert build(tiny, check=True) == []
    tiny.exported.write_text("# edited by hand\n")
    assert build(tiny, check=True) == [tiny.exported]


def test_a_course_without_a_lesson_is_refused(tiny):
    tiny.script("01_double").unlink()
    with pytest.raises(CourseError, match="holds no lesson"):
        build(tiny)


SETUP = '"grade_id": "setup_export"'
ANSWER = '"grade_id": "double", "locked": false, "schema_version": 3'
HIDDEN_CELL = '"grade_id": "test_double_hidden"'

BROKEN = {
    "syntax error": ("twice_as_much = x + x", "twice_as_much = = x", r":30: cell 'double' is not"),
    "duplicate grade_id": (SETUP, '"grade_id": "double"', r"'double' is taken by line 22"),
    "no solution markers": ("### BEGIN SOLUTION\n", "", r"where '### BEGIN SOLUTION' is due"),
    "answer without solution": (
        "    ### BEGIN SOLUTION\n    twice_as_much = x + x\n"
        "    return twice_as_much\n    ### END SOLUTION",
        "    return x",
        r"answer cell 'double' has no '### BEGIN SOLUTION'",
    ),
    "open solution": ("    ### END SOLUTION\n", "", r"has no '### END SOLUTION' after it"),
    "misspelt marker": ("### BEGIN SOLUTION", "## BEGIN SOLUTION", r"stands where"),
    "no schema_version": (ANSWER, ANSWER[:-21], r":25: cell 'double' lacks schema_version"),
    "old schema_version": (ANSWER, ANSWER[:-1] + "2", r"needs schema_version 3"),
    "no points": ('"points": 2, ', "", r"'test_double_hidden' lacks points"),
    "negative points": ('"points": 2', '"points": -2', r"has points -2"),
    "text for a flag": ('"locked": false', '"locked": "no"', r"has locked 'no'"),
    "bad JSON": (ANSWER, ANSWER + ",,", r":25: the nbgrader metadata"),
    "metadata is a list": ("nbgrader={" + '"grade": false, ' + SETUP, "nbgrader=[1", r"metadata"),
    "test of nothing": (
        '"grade_id": "test_double"',
        '"grade_id": "test_triple"',
        r"'test_triple' tests no answer",
    ),
    "hidden test of nothing": (HIDDEN_CELL, '"grade_id": "test_x_hidden"', r"tests no answer"),
    "answer under another name": ("def double(", "def twice(", r"defines no 'double'"),
    "code beside hidden tests": (
        "# Hidden: negative numbers.",
        "print(double(-1))",
        r"'test_double_hidden' has code outside",
    ),
    "hidden cell unmarked": (
        "### BEGIN HIDDEN TESTS\nassert double(-1024) == -2048\n### END HIDDEN TESTS",
        "assert double(-1024) == -2048",
        r"its tests would be released",
    ),
    "hidden tests in a visible cell": (
        'assert double(2) == 4, "2 doubled is 4"',
        "### BEGIN HIDDEN TESTS\nassert double(2) == 4\n### END HIDDEN TESTS",
        r"'test_double' holds hidden tests",
    ),
    "text before the first cell": ("# %% [markdown]\n# # Doubling", "x = 1\n# %%", r"first `# %%`"),
    "broken header": ("# jupyter:\n", "# jupyter: [\n", r"jupytext|needs a cell"),
    "grade_id with a space": (SETUP, '"grade_id": "set up"', r"needs 1 to 64 letters"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_lesson_is_refused_with_its_place_and_nothing_is_written(tiny, edit_lesson, case):
    old, new, message = BROKEN[case]
    edit_lesson(old, new)
    before = everything(tiny)
    with pytest.raises(CourseError, match=message) as caught:
        build(tiny)
    assert "double_dev.py" in str(caught.value)
    assert everything(tiny) == before


def test_every_problem_is_named_at_once(tiny, edit_lesson):
    edit_lesson('"points": 2, ', "")
    edit_lesson("def double(", "def twice(")
    with pytest.raises(CourseError, match=r"(?s)lacks points.*defines no 'double'"):
        build(tiny)


def test_a_lesson_that_is_not_text_is_refused(tiny):
    tiny.script("01_double").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CourseError, match=r"double_dev.py cannot be read as UTF-8"):
        build(tiny)


def test_a_lesson_that_exports_nothing_is_named_by_its_script(tiny, edit_lesson):
    edit_lesson("#| export\n", "")
    with pytest.raises(CourseError, match=r"double_dev\.py exports nothing"):
        build(tiny)


@pytest.mark.parametrize("text", ["", "\n", "x = 1\n"])
def test_a_file_without_cells_is_refused(tiny, text):
    tiny.script("01_double").write_text(text)
    with pytest.raises(CourseError, match=r"double_dev\.py"):
        build(tiny)


def test_missing_and_broken_pairing_rules_are_named(tiny):
    rules = tiny.source / "jupytext.toml"
    rules.write_text("formats = [")
    with pytest.raises(CourseError, match=r"jupytext\.toml cannot be used"):
        build(tiny)
    rules.unlink()
    with pytest.raises(CourseError, match=r"no jupytext\.toml above"):
        build(tiny)


def test_a_folder_that_cannot_be_written_is_named_and_the_old_file_stays(tiny, monkeypatch):
    build(tiny)
    before = tiny.exported.read_bytes()
    tiny.exported.write_bytes(b"old")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(CourseError, match=r"kernels.py cannot be written: Permission denied"):
        build(tiny)
    assert tiny.exported.read_bytes() == b"old" != before
    assert [path.name for path in tiny.exported.parent.iterdir() if path.name[0] == "."] == []


def test_a_magic_line_is_valid(tiny, edit_lesson):
    edit_lesson("# %% [markdown]\n# ## What now\n", "# %%\n# %matplotlib inline\n")
    build(tiny)
    assert "%matplotlib inline" in tiny.notebook("01_double").read_text()
