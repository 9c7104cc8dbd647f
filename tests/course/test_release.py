"""What students get holds no solution, whatever went wrong on the way."""

import json
import shutil
import zipfile

import nbformat
import pytest

from tinytorch.course import release as release_module
from tinytorch.course.build import build
from tinytorch.course.project import CourseError
from tinytorch.course.release import check_leaks, release

NAME = "01_double"
SECRET = "twice_as_much = x + x"
HIDDEN_SECRET = "assert double(-1024) == -2048"


@pytest.fixture
def folder(tmp_path):
    """An empty folder that stands for what students would get."""
    path = tmp_path / "given"
    path.mkdir()
    return path


@pytest.fixture
def tiny_released(tiny):
    release(tiny, NAME)
    return tiny


def test_the_report_counts_answers_tests_and_points(tiny):
    report = release(tiny, NAME)
    assert report.notebook == tiny.release / NAME / "double_dev.ipynb"
    assert report.kit == tiny.build / "01_double_student.zip"
    assert (report.answer_cells, report.test_cells, report.points) == (1, 2, 3.0)


def test_releasing_builds_first(tiny):
    release(tiny, NAME)
    assert build(tiny, check=True) == []


def test_the_stub_says_what_is_missing(tiny_released):
    notebook = nbformat.read(tiny_released.release / NAME / "double_dev.ipynb", as_version=4)
    answer = next(cell for cell in notebook.cells if cell.id == "double")
    assert answer.source.split("\n")[-2:] == [
        "    # YOUR CODE HERE",
        '    raise NotImplementedError("double is not written yet")',
    ]


def test_run_all_goes_on_after_a_failing_test_but_not_after_a_failing_answer(tiny_released):
    notebook = nbformat.read(tiny_released.release / NAME / "double_dev.ipynb", as_version=4)
    tags = {cell.id: cell.metadata.get("tags", []) for cell in notebook.cells}
    assert tags["test_double"] == tags["test_double_hidden"] == ["raises-exception"]
    assert tags["double"] == tags["setup_export"] == []


def test_hidden_tests_are_gone_and_their_comment_stays(tiny_released):
    notebook = nbformat.read(tiny_released.release / NAME / "double_dev.ipynb", as_version=4)
    hidden = next(cell for cell in notebook.cells if cell.id == "test_double_hidden")
    assert hidden.source == "# Hidden: negative numbers."


def test_the_script_and_the_pairing_rules_are_not_released(tiny_released):
    names = sorted(path.name for path in (tiny_released.release / NAME).iterdir())
    assert names == ["README.md", "double_dev.ipynb"]


def test_releasing_twice_gives_the_same_bytes(tiny_released):
    files = [*(tiny_released.release / NAME).iterdir(), tiny_released.kit(NAME)]
    before = [file.read_bytes() for file in files]
    release(tiny_released, NAME)
    assert [file.read_bytes() for file in files] == before


def test_check_names_an_outdated_release_and_kit_and_leaves_them(tiny_released, edit_lesson):
    edit_lesson('"2 doubled is 4"', '"twice 2 is 4"')
    released = tiny_released.release / NAME / "double_dev.ipynb"
    before = released.read_bytes()
    stale = build(tiny_released, check=True)
    assert stale == [tiny_released.notebook(NAME), released, tiny_released.kit(NAME)]
    assert released.read_bytes() == before


def test_a_checkpoint_of_jupyterlab_is_not_stale(tiny_released):
    checkpoint = tiny_released.release / NAME / ".ipynb_checkpoints" / "double_dev.ipynb"
    checkpoint.parent.mkdir()
    checkpoint.write_text("{}")
    assert build(tiny_released, check=True) == []


def test_check_names_a_kit_whose_package_has_changed(tiny_released):
    (tiny_released.package / "core" / "new.py").write_text('"""New."""\n')
    assert build(tiny_released, check=True) == [tiny_released.kit(NAME)]


def test_a_changed_solution_alone_does_not_outdate_the_release(tiny_released, edit_lesson):
    edit_lesson(SECRET, "twice_as_much = x * 2")
    stale = build(tiny_released, check=True)
    assert stale == [tiny_released.notebook(NAME), tiny_released.exported]


def test_the_untouched_release_does_not_leak(tiny_released):
    source = tiny_released.notebook(NAME)
    assert check_leaks(tiny_released.release / NAME, source) == []
    assert check_leaks(tiny_released.kit(NAME), source) == []


@pytest.mark.parametrize("secret", [SECRET, "  twice_as_much=x+x", HIDDEN_SECRET])
def test_a_secret_line_is_found_in_text_in_json_and_in_a_zip(tiny_released, folder, secret):
    source = tiny_released.notebook(NAME)
    (folder / "leak.md").write_text(f"try\n\n    {secret}\n")
    (folder / "leak.ipynb").write_text(json.dumps({"cells": [{"outputs": [f"a\n{secret}"]}]}))
    with zipfile.ZipFile(folder / "leak.zip", "w") as archive:
        archive.writestr("deep/inside.txt", secret)
    found = [leak.split(" ")[0] for leak in check_leaks(folder, source)]
    assert found == ["leak.ipynb", "leak.md", "deep/inside.txt"]


def test_marker_lines_and_the_exported_module_are_leaks(tiny_released, folder):
    (folder / "core").mkdir()
    (folder / "core" / "kernels.py").write_text("")
    (folder / "notes.md").write_text("### BEGIN SOLUTION")
    assert check_leaks(folder, tiny_released.notebook(NAME)) == [
        "core/kernels.py is the exported solution",
        "notes.md holds a line BEGIN SOLUTION",
    ]


def test_the_answer_to_a_written_question_is_a_secret(tiny, edit_lesson, folder):
    edit_lesson(
        "# %% [markdown]\n# ## What now\n\n",
        '# %% [markdown] nbgrader={"grade": true, "grade_id": "answer_why", "locked": false, '
        '"points": 1, "schema_version": 3, "solution": true, "task": false}\n'
        "# Because doubling is adding.\n\n",
    )
    release(tiny, NAME)
    text = (tiny.release / NAME / "double_dev.ipynb").read_text()
    assert "YOUR ANSWER HERE" in text
    assert "doubling is adding" not in text
    (folder / "page.md").write_text("Because doubling is adding.")
    assert len(check_leaks(folder, tiny.notebook(NAME))) == 1


def test_one_coinciding_line_in_the_hand_written_package_is_no_leak_but_the_answer_is(
    tiny, edit_lesson
):
    edit_lesson("    twice_as_much = x + x\n", "    one_more_name = x\n    twice_as_much = x + x\n")
    module = tiny.package / "core" / "helper.py"
    module.write_text("def f(x):\n    one_more_name = x\n")
    release(tiny, NAME)
    module.write_text("def f(x):\n    one_more_name = x\n    twice_as_much = x + x\n")
    with pytest.raises(CourseError, match=r"core/helper\.py holds a line of double"):
        release(tiny, NAME)


@pytest.mark.parametrize("name", ["README.md", "notes.txt"])
def test_a_leak_removes_release_and_kit(tiny_released, name):
    (tiny_released.source / NAME / name).write_text(f"Hint: `{SECRET}`\n")
    with pytest.raises(CourseError, match=rf"(?s)must not see.*{name} holds a line of double"):
        release(tiny_released, NAME)
    assert not (tiny_released.release / NAME).exists()
    assert not tiny_released.kit(NAME).exists()


def test_an_unexpected_failure_while_packing_removes_the_release_too(tiny, monkeypatch):
    def fail(*_):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(release_module, "build_kit", fail)
    with pytest.raises(RuntimeError):
        release(tiny, NAME)
    assert not (tiny.release / NAME).exists()


def test_nbgraders_reason_is_passed_on(tiny):
    config = tiny.root / "nbgrader_config.py"
    config.write_text(config.read_text() + '\nc.ClearSolutions.code_stub = {"R": "fail()"}\n')
    with pytest.raises(CourseError, match=r"could not generate 01_double: .*code_stub"):
        release(tiny, NAME)


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_changed_cells_under_graded_submissions_are_explained(tiny_released, edit_lesson):
    from nbgrader.api import Gradebook

    with Gradebook(tiny_released.gradebook_url, "tinytorch") as gradebook:
        gradebook.add_student("ana")
        gradebook.add_submission(NAME, "ana")
    edit_lesson('"grade_id": "test_double_hidden"', '"grade_id": "test_double_hidden_signs"')
    released = tiny_released.release / NAME / "double_dev.ipynb"
    before = released.read_bytes()
    with pytest.raises(CourseError, match="graded submissions, and its graded cells have changed"):
        release(tiny_released, NAME)
    assert released.read_bytes() == before


def test_another_notebook_beside_the_lesson_is_not_released_with_it(tiny):
    (tiny.source / NAME / "scratch.ipynb").write_text("{}")
    with pytest.raises(CourseError, match=r"other notebooks \(scratch\.ipynb\)"):
        release(tiny, NAME)
    assert not tiny.release.exists()


def test_settings_that_cannot_be_run_are_named(tiny):
    (tiny.root / "nbgrader_config.py").write_text("c = get_config(\n")
    with pytest.raises(CourseError, match=r"nbgrader_config\.py cannot be used \(SyntaxError"):
        release(tiny, NAME)


def test_a_gradebook_that_is_none_is_named_and_left_alone(tiny):
    gradebook = tiny.root / "gradebook.db"
    gradebook.write_text("not a database, but perhaps somebody's notes")
    with pytest.raises(CourseError, match=r"could not generate 01_double: .*not a database"):
        release(tiny, NAME)
    assert gradebook.read_text() == "not a database, but perhaps somebody's notes"


def test_an_unknown_assignment_is_refused_before_anything_is_made(tiny):
    with pytest.raises(CourseError, match="no assignment '11'"):
        release(tiny, "11")
    assert not tiny.notebook(NAME).exists()


def test_the_gradebook_survives_a_check(tiny_released):
    gradebook = tiny_released.root / "gradebook.db"
    before = gradebook.read_bytes()
    shutil.rmtree(tiny_released.release)
    build(tiny_released, check=True)
    assert gradebook.read_bytes() == before


def test_the_real_release_holds_no_answer(released):
    notebook = nbformat.read(released.release / "11_kernels" / "kernels_dev.ipynb", as_version=4)
    answers = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    ]
    assert len(answers) >= 9
    for cell in answers:
        assert f'NotImplementedError("{cell.id} is not written yet")' in cell.source
