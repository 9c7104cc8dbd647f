"""The clean copy of a submission: what of it counts, and that nbgrader has nothing to add."""

import logging
import random
import shutil
import uuid

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.api import Gradebook
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ComputeChecksums,
    DeduplicateIds,
    OverwriteCells,
    SaveCells,
)

from tinytorch.course.clean import LONG_ANSWER, MISSING_ANSWER, clean_copy
from tinytorch.course.isolation import is_ungraded, named_cells
from tinytorch.course.matching import MAX_SOURCE
from tinytorch.course.project import CourseError
from tinytorch.course.reference import ReleasedCell, released_cells

GUESS = "my_guess = None"
EXPERIMENT = "def measured():\n    return 1\nmeasured()"
HIDDEN = "# Hidden tests of {0}.\n### BEGIN HIDDEN TESTS\nassert {0}() == 1\n### END HIDDEN TESTS"


def known(name, source, **facts) -> ReleasedCell:
    plain = {"cell_type": "code", "locked": True, "checksum": None, "points": None}
    plain |= {"solution": False, "task": False}
    return ReleasedCell(name=name, source=source, **(plain | facts))


def answer(name) -> list[ReleasedCell]:
    stub = f"def {name}():\n    raise NotImplementedError()"
    return [
        known(name, stub, solution=True, locked=False),
        known(f"test_{name}", f"assert {name}()", points=1.0),
        known(f"test_{name}_hidden", HIDDEN.format(name), points=2.0),
    ]


WHY = {"cell_type": "markdown", "solution": True, "locked": False, "points": 5.0}
CELLS = [
    new_markdown_cell("# Title", id="title"),
    known("setup", "import math"),
    *answer("one"),
    new_markdown_cell("Guess.", id="guess-text"),
    new_code_cell(GUESS, id="guess"),
    new_code_cell(EXPERIMENT, id="experiment", metadata={"tags": ["ungraded"]}),
    *answer("two"),
    known("question", "Why?", cell_type="markdown"),
    known("why", "Your answer", **WHY),
]
RELEASED = {cell.name: cell for cell in CELLS if isinstance(cell, ReleasedCell)}
ORDER = [cell.name if isinstance(cell, ReleasedCell) else cell.id for cell in CELLS]


def lesson(hidden: bool):
    """The instructor's notebook, with hidden tests and solutions; or the release without."""
    cells = []
    for cell in CELLS:
        if isinstance(cell, ReleasedCell):
            source = cell.source
            if hidden and cell.solution:
                source = f"SOLUTION of {cell.name}"
            elif not hidden and "BEGIN" in source:
                source = source.split("\n")[0]
            new = new_code_cell if cell.cell_type == "code" else new_markdown_cell
            metadata = {"nbgrader": cell.nbgrader_metadata()}
            cells.append(new(source, id=cell.name, metadata=metadata))
        else:
            cells.append(nbformat.from_dict(cell))
    metadata = {"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}
    return nbformat.from_dict(nbformat.v4.new_notebook(cells=cells, metadata=metadata))


def cleaned(edit=lambda notebook, cells: None):
    """Clean the release after `edit(notebook, cells by grade_id or id)`."""
    notebook = lesson(hidden=False)
    cells = {cell.id: cell for cell in notebook.cells}
    cells["one"].source = "def one(): return 1"
    cells["why"].source = "Because."
    edit(notebook, cells)
    copy, changes = clean_copy(notebook, lesson(hidden=True), RELEASED)
    nbformat.validate(copy)
    return copy, changes


def shape(copy) -> list[str]:
    """Names of the release's cells, texts of the student's own."""
    names = [cell.metadata.get("nbgrader", {}).get("grade_id", cell.id) for cell in copy.cells]
    return [
        cell.source if name.startswith("own-") else name
        for name, cell in zip(names, copy.cells, strict=True)
    ]


def source_of(copy, name) -> str:
    (found,) = [cell.source for cell in copy.cells if cell.id == name]
    return found


def test_a_submission_in_order_is_the_release_with_its_answers():
    copy, changes = cleaned()
    assert (shape(copy), changes) == (ORDER, [])
    assert source_of(copy, "one") == "def one(): return 1"
    assert source_of(copy, "two") == RELEASED["two"].source
    assert source_of(copy, "why") == "Because."
    assert source_of(copy, "test_two_hidden") == HIDDEN.format("two")
    assert "SOLUTION" not in nbformat.writes(copy)
    for name, cell in named_cells(copy).items():
        assert cell.metadata.nbgrader == RELEASED[name].nbgrader_metadata()


# What changes nothing


def copied(notebook, cells):
    for name in ("one", "test_one", "setup", "why"):
        again = nbformat.from_dict(cells[name])
        again.source = "spoilt = 1"
        notebook.cells.append(again)


def unmarked(notebook, cells):
    for name in ("test_one", "test_two"):
        cells[name].metadata.nbgrader.update(grade=False, points=100, solution=True, locked=False)
    cells["two"].metadata.nbgrader.update(grade=True, points=50, task=True)


def deleted(notebook, cells):
    gone = ("setup", "test_one", "test_one_hidden", "test_two", "question", "title")
    notebook.cells = [cell for cell in notebook.cells if cell.id not in gone]


def edited(notebook, cells):
    for name in ("setup", "test_one", "test_two_hidden", "question"):
        cells[name].source = "pass"


def retyped(notebook, cells):
    for name, kind in {"one": "markdown", "test_one": "raw", "why": "code", "setup": "raw"}.items():
        cells[name].cell_type = kind


def odd(notebook, cells):
    for number, cell in enumerate(notebook.cells):
        cell.metadata["tags"] = ["skip-execution", "remove-cell"] if number % 2 else 7
        cell.metadata["collapsed"] = {"deep": [1]}
    cells["two"].metadata["nbgrader"] = ["not", "a", "dict"]
    cells["test_one"].metadata["nbgrader"]["grade_id"] = ["test_one"]
    cells["test_two"].metadata["nbgrader"] = {"schema_version": 1, "grade_id": "test_two"}
    cells["setup"].metadata["nbgrader"] = "setup"
    notebook.metadata = {"kernelspec": {"name": "ir"}, "widgets": {"x": 1}}


def without_names(notebook, cells):
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})


def without_ids(notebook, cells):
    for number, cell in enumerate(notebook.cells):
        cell.id = "same" if number % 2 else uuid.uuid4().hex
        if number % 5 == 0:
            del cell["id"]


def shuffled(notebook, cells):
    random.Random(3).shuffle(notebook.cells)


def executed(notebook, cells):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="x" * 1_000)]
            cell.execution_count = 7


NOTHING = [copied, unmarked, deleted, edited, retyped, odd, without_names, without_ids, shuffled]


@pytest.mark.parametrize("edit", [*NOTHING, executed], ids=lambda edit: edit.__name__)
def test_what_a_student_does_to_the_form_changes_nothing(edit):
    plain, _ = cleaned()
    copy, changes = cleaned(edit)
    kept = [cell for cell in copy.cells if not cell.id.startswith("own-")]
    assert kept == plain.cells
    assert copy.metadata == plain.metadata
    assert bool(changes) == (edit not in (without_ids, executed))


@pytest.mark.parametrize("edit", [*NOTHING, executed], ids=lambda edit: edit.__name__)
def test_the_same_submission_gives_the_same_copy(edit):
    random_ids = edit is without_ids
    assert random_ids or cleaned(edit) == cleaned(edit)
    copy, _ = cleaned(edit)
    assert clean_copy(copy, lesson(hidden=True), RELEASED)[0] == copy


def test_what_was_put_right_is_said():
    assert cleaned(unmarked)[1][:1] == [
        "cell 'test_one' had another grade, solution, locked, points, it was put right"
    ]
    assert "cell 'test_two' was missing, it was put back" in cleaned(deleted)[1]
    assert "locked cell 'test_two_hidden' was edited, it was put right" in cleaned(edited)[1]
    assert "cell 'one' had another cell type, it was put right" in cleaned(retyped)[1]
    assert "cell 'one' had lost its name, it was found" in cleaned(without_names)[1]
    assert "cell 'one' is there more than once, the first one counts" in cleaned(copied)[1]
    assert cleaned(shuffled)[1] == ["cells stood in another order, they were put back"]


# The student's own


def test_own_cells_stay_behind_the_cell_that_they_followed():
    def edit(notebook, cells):
        place = notebook.cells.index(cells["two"])
        notebook.cells[place:place] = [new_code_cell("helper = 1"), new_markdown_cell("notes")]
        notebook.cells.insert(0, new_code_cell("early = 1", metadata={"nbgrader": {"x": 1}}))
        notebook.cells += [new_raw_cell("late", metadata={"tags": ["x"], "y": 1}), new_code_cell()]

    copy, changes = cleaned(edit)
    expected = list(ORDER)
    place = expected.index("two")
    expected[place:place] = ["helper = 1", "notes"]
    assert shape(copy) == ["early = 1", *expected, "late"]
    own = [cell for cell in copy.cells if cell.id.startswith("own-")]
    assert [cell.cell_type for cell in own] == ["code", "code", "markdown", "raw"]
    assert all(cell.metadata == {} for cell in own)
    assert changes == []


def test_of_copies_the_first_is_the_answer_and_the_others_run_where_they_stand():
    def edit(notebook, cells):
        again = new_code_cell("def one(): return 2", metadata=cells["one"].metadata)
        notebook.cells.insert(notebook.cells.index(cells["one"]) + 1, again)

    copy, changes = cleaned(edit)
    assert source_of(copy, "one") == "def one(): return 1"
    names = shape(copy)
    assert names[names.index("one") + 1] == "def one(): return 2"
    assert changes == ["cell 'one' is there more than once, the first one counts"]


def test_a_cell_with_a_strange_name_is_the_students_own():
    def edit(notebook, cells):
        notebook.cells.append(new_code_cell("x", metadata={"nbgrader": {"grade_id": "m" * 999}}))

    copy, changes = cleaned(edit)
    assert shape(copy)[-1] == "x"
    assert changes == [f"cell {'m' * 64!r} is not of this assignment, it is not graded"]


def test_a_copied_experiment_stays_an_experiment():
    def edit(notebook, cells):
        notebook.cells.append(new_code_cell("1/0", metadata={"tags": ["ungraded", "x"]}))

    copy, _ = cleaned(edit)
    assert copy.cells[-1].metadata == {"tags": ["ungraded"]}


def unlocked(notebook, cells):
    cells["guess"].source = "my_guess = 4"
    cells["experiment"].source = EXPERIMENT + "\ndef helper(): return 2"
    cells["guess-text"].source = "Guess: four."


def unlocked_without_ids(notebook, cells):
    unlocked(notebook, cells)
    without_ids(notebook, cells)


def unlocked_without_ids_or_tags(notebook, cells):
    unlocked_without_ids(notebook, cells)
    cells["experiment"].metadata = nbformat.from_dict({"tags": ["mine"]})


UNLOCKED = [unlocked, unlocked_without_ids, unlocked_without_ids_or_tags]


@pytest.mark.parametrize("edit", UNLOCKED, ids=lambda edit: edit.__name__)
def test_edits_of_unlocked_cells_are_kept_and_experiments_stay_tagged(edit):
    copy, changes = cleaned(edit)
    assert (shape(copy), changes) == (ORDER, [])
    assert source_of(copy, "guess") == "my_guess = 4"
    assert "def helper" in source_of(copy, "experiment")
    assert source_of(copy, "guess-text") == "Guess: four."
    assert [cell.id for cell in copy.cells if is_ungraded(cell)] == ["experiment"]


def test_an_unlocked_code_cell_that_was_deleted_stays_away_and_text_comes_back():
    def edit(notebook, cells):
        gone = ("guess", "experiment", "guess-text")
        notebook.cells = [cell for cell in notebook.cells if cell.id not in gone]

    copy, changes = cleaned(edit)
    assert shape(copy) == [name for name in ORDER if name not in ("guess", "experiment")]
    assert changes == []


def test_an_experiment_made_into_text_is_no_code_of_the_release():
    def edit(notebook, cells):
        cells["experiment"].cell_type = "raw"

    copy, _ = cleaned(edit)
    assert [c.cell_type for c in copy.cells if c.source == EXPERIMENT] == ["raw"]


# Answers that are hard to find


def test_the_first_nameless_definition_is_the_answer():
    def edit(notebook, cells):
        notebook.cells.remove(cells["one"])
        notebook.cells[:0] = [new_code_cell("%time\ndef one(: x"), new_code_cell("def one(): 1")]

    copy, changes = cleaned(edit)
    names = shape(copy)
    assert source_of(copy, "one") == "%time\ndef one(: x"
    assert names[names.index("one") + 1] == "def one(): 1"
    assert changes[0] == "cell 'one' had lost its name, it was found"


@pytest.mark.parametrize(
    "source", ["async def two(): 1", "class two: x = 1", "two = one", "x = 1\ntwo: object = x"]
)
def test_a_definition_of_any_kind_is_an_answer(source):
    def edit(notebook, cells):
        notebook.cells.remove(cells["two"])
        notebook.cells += [new_code_cell("two == 3"), new_code_cell(source)]

    assert source_of(cleaned(edit)[0], "two") == source


def test_a_name_is_never_taken_from_a_cell_that_has_one():
    def edit(notebook, cells):
        cells["two"].source = "def two(): 2\ndef one(): return 1"
        notebook.cells.remove(cells["one"])

    copy, changes = cleaned(edit)
    assert source_of(copy, "one") == f"# {MISSING_ANSWER}"
    assert source_of(copy, "two") == "def two(): 2\ndef one(): return 1"
    assert changes == ["cell 'one' was missing, it was put back"]


def test_a_missing_written_answer_says_so_and_is_not_the_released_text():
    copy, _ = cleaned(lambda notebook, cells: notebook.cells.remove(cells["why"]))
    assert source_of(copy, "why") == MISSING_ANSWER


def test_a_picture_pasted_into_an_answer_is_kept():
    def edit(notebook, cells):
        for name in ("why", "question"):
            cells[name]["attachments"] = {"a.png": {"image/png": "iVBOR"}}

    cells = named_cells(cleaned(edit)[0])
    assert cells["why"].attachments == {"a.png": {"image/png": "iVBOR"}}
    assert "attachments" not in cells["question"]


@pytest.mark.parametrize(("name", "comment"), [("one", "# "), ("why", "")])
def test_an_answer_without_measure_is_left_out(name, comment):
    def edit(notebook, cells):
        cells[name].source = "x" * (MAX_SOURCE + 1)

    copy, changes = cleaned(edit)
    assert source_of(copy, name) == comment + LONG_ANSWER
    assert changes == [
        f"the answer {name!r} has 200,001 characters, at most 200,000 are taken: left out"
    ]


@pytest.mark.parametrize("cells", [[], [new_code_cell("def four(): return 4")]])
def test_a_notebook_without_any_answer_is_refused(cells):
    def edit(notebook, found):
        notebook.cells = [*cells, found["test_one"]]

    with pytest.raises(CourseError, match="lost the names of its cells"):
        cleaned(edit)


# nbgrader


@pytest.fixture
def gradebook(tmp_path, empty_gradebook):
    """A gradebook that knows the lesson, as SaveCells writes it."""
    url = f"sqlite:///{shutil.copyfile(empty_gradebook, tmp_path / 'gradebook.db')}"
    with Gradebook(url) as book:
        book.add_assignment("x")
    resources = {"nbgrader": {"notebook": "nb", "assignment": "x", "db_url": url}}
    notebook = lesson(hidden=False)
    for name, cell in named_cells(notebook).items():
        cell.source = RELEASED[name].source
    ComputeChecksums().preprocess(notebook, resources)
    SaveCells().preprocess(notebook, resources)
    return url, resources


@pytest.mark.parametrize("edit", NOTHING, ids=lambda edit: edit.__name__)
def test_nbgrader_finds_nothing_to_complain_about(gradebook, caplog, edit):
    url, resources = gradebook
    notebook = lesson(hidden=False)
    edit(notebook, {cell.id: cell for cell in notebook.cells})
    copy, _ = clean_copy(notebook, lesson(hidden=True), released_cells(url, "x", "nb"))
    before = nbformat.from_dict(copy)
    caplog.set_level(logging.WARNING)
    for step in (DeduplicateIds(), OverwriteCells(), CheckCellMetadata(), SaveCells()):
        copy, resources = step.preprocess(copy, resources)
    assert not caplog.records
    assert copy == before


def test_nbgrader_would_complain_of_the_submission_itself(gradebook, caplog):
    notebook = lesson(hidden=False)
    edited(notebook, {cell.id: cell for cell in notebook.cells})
    OverwriteCells().preprocess(notebook, gradebook[1])
    assert "'checksum' for cell test_one has changed" in caplog.text
