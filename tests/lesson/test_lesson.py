"""The lesson as a document: what it promises in one place holds in the others."""

import ast
import itertools
import re
from pathlib import Path

import jupytext
import pytest
import yaml

ANSWERS = [
    "matmul_baseline",
    "vectorized_relu",
    "vectorized_operations",
    "cache_friendly_matmul",
    "parallel_relu",
    "parallel_batch_processing",
    "SimpleProfiler",
    "quantized_matmul",
    "quantized_relu",
    "compiled_relu",
    "compiled_matmul",
    "fused_linear_relu",
    "sparse_matmul",
]
EXPERT = ANSWERS[9:]
# What a hidden cell's name ends with, and how the lesson calls it beside the question.
BEHAVIOURS = {
    "values": "random instances",
    "shapes": "shapes",
    "dtypes": "dtypes and inputs",
    "errors": "errors",
    "mechanism": "mechanism",
    "mechanism_times": "times",
    "mechanism_effects": "side effects",
}
STEP_TESTS = [
    "test_matmul_baseline",
    "test_vectorized_operations",
    "test_cache_friendly_matmul",
    "test_parallel_processing",
    "test_performance_profiling",
    "test_compressed_kernels",
    "final_performance_test",
]


@pytest.fixture(scope="module")
def folder(repo) -> Path:
    return repo / "modules/source/11_kernels"


@pytest.fixture(scope="module")
def cells(folder) -> list:
    return jupytext.read(folder / "kernels_dev.py").cells


def grade_id(cell) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def graded(cells, name: str) -> dict:
    (cell,) = [c for c in cells if grade_id(c) == name]
    return cell


def points_of(cells, answer: str) -> int:
    return sum(
        c.metadata.nbgrader.points
        for c in cells
        if re.fullmatch(
            rf"test_{answer}(_hidden.*)?", c.metadata.get("nbgrader", {}).get("grade_id", "")
        )
    )


def cells_testing(cells, answer: str) -> dict:
    """grade_id -> cell, of one answer's tests."""
    found = {grade_id(c): c for c in cells if c.metadata.get("nbgrader", {}).get("grade")}
    return {n: c for n, c in found.items() if re.fullmatch(rf"test_{answer}(_hidden_.+)?", n)}


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_answer_has_a_stub_a_visible_test_and_hidden_ones_by_behaviour(cells, answer):
    visible, *hidden = cells_testing(cells, answer).items()
    assert visible[0] == f"test_{answer}" and "BEGIN HIDDEN TESTS" not in visible[1].source
    assert len(hidden) >= 3
    for name, cell in hidden:
        assert name.removeprefix(f"test_{answer}_hidden_") in BEHAVIOURS
        assert "### BEGIN HIDDEN TESTS" in cell.source
    defined = [n.name for n in ast.parse(graded(cells, answer).source).body if hasattr(n, "name")]
    assert defined[0] == answer


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_points_are_stated_by_behaviour_before_the_stub(cells, answer):
    tests = cells_testing(cells, answer)
    text = cells[cells.index(graded(cells, answer)) - 1].source
    (stated,) = re.findall(r"\*\*(\d+) points\*\*: ([^.]*)\.", text)
    points = [cell.metadata.nbgrader.points for cell in tests.values()]
    assert int(stated[0]) == sum(points)
    parts = [part.rpartition(" ") for part in stated[1].replace("\n", " ").split(", ")]
    assert [int(number) for *_, number in parts] == points
    hidden = [BEHAVIOURS[name.partition("_hidden_")[2]] for name in list(tests)[1:]]
    assert [words for words, *_ in parts] == ["main path", *hidden]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_stubs_docstring_has_at_most_ten_lines(cells, answer):
    for node in ast.walk(ast.parse(graded(cells, answer).source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            assert len((ast.get_docstring(node) or "").splitlines()) <= 10, node.name


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_answer_is_followed_by_three_folded_hints(cells, answer):
    after = cells[cells.index(graded(cells, answer)) + 1]
    assert after.cell_type == "markdown"
    assert after.source.count("<details>") == after.source.count("</details>") == 3


def test_nine_kernels_carry_80_points_and_the_expert_part_20(cells):
    assert sum(points_of(cells, name) for name in ANSWERS if name not in EXPERT) == 80
    assert sum(points_of(cells, name) for name in EXPERT) == 20


def test_points_are_100_for_tests_and_15_by_hand(cells):
    total = {"code": 0, "markdown": 0}
    for cell in cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            total[cell.cell_type] += cell.metadata.nbgrader.points
    assert total == {"code": 100, "markdown": 15}


def test_the_modules_page_and_metadata_state_the_same_points(cells, folder):
    page = (folder / "README.md").read_text()
    for line in re.findall(r"^\| \d .*$", page, flags=re.M):
        _, _, names, _, points, _ = (part.strip() for part in line.split("|", 5))
        stated = [int(p) for p in points.strip("| ").split("+")]
        assert stated == [points_of(cells, name) for name in re.findall(r"`(\w+)`", names)]
    metadata = (folder / "module.yaml").read_text()
    assert "automatic: 100" in metadata and "by_hand: 15" in metadata


def test_module_yaml_lists_only_what_exists(folder):
    module = yaml.safe_load((folder / "module.yaml").read_text())
    for name in module["files"].values():
        assert (folder / name).is_file()
    assert module["components"] == ANSWERS
    core = folder.parents[2] / "tinytorch/core"
    for name in [*module["prerequisites"], module["exports_to"].rsplit(".")[-1]]:
        assert (core / f"{name}.py").is_file()


@pytest.mark.parametrize("name", STEP_TESTS)
def test_the_seven_test_functions_exist_are_called_and_carry_no_points(cells, name):
    (cell,) = [c for c in cells if re.search(rf"^def {name}\(", c.source, flags=re.M)]
    assert cell.source.rstrip().endswith(f"\n{name}()")
    assert "nbgrader" not in cell.metadata and cell.metadata.tags == ["ungraded"]


def test_step_tests_call_the_visible_test_of_every_answer(cells):
    steps = "\n".join(c.source for c in cells if re.search(r"^def test_", c.source, flags=re.M))
    assert {name for name in ANSWERS if f"check_{name}()" in steps} == set(ANSWERS)


def test_every_experiment_asks_for_a_guess_first(cells):
    for index, cell in enumerate(cells):
        if re.search(r"guess(_y)?=my_guess|if my_guess is", cell.source):
            assert cells[index - 1].source.startswith("my_guess = None  # ")
            assert "**Guess.**" in cells[index - 2].source


def test_written_questions_are_locked_and_answered_in_a_cell_of_their_own(cells):
    questions = [
        (a.metadata.nbgrader, b.metadata.nbgrader)
        for a, b in itertools.pairwise(cells)
        if grade_id(a).startswith("question_")
    ]
    assert len(questions) == 3
    for question, answer in questions:
        assert question.locked and not question.grade
        assert answer.solution and answer.grade
        assert answer.grade_id == question.grade_id.replace("question_", "answer_")
