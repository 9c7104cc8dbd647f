"""What Numba compiled of a cell is found again when the cell is run again, and only then."""

import numba
import pytest
from numba.core import target_extension

from tinytorch.course.trial_room.sharing import share_compiled

CELL = """
FACTOR = {factor}

@numba.njit
def helper(x):
    return FACTOR * x

@numba.njit(fastmath={fast})
def twice(x):
    return helper(x) + helper(x)
"""


@pytest.fixture
def namespace(monkeypatch):
    """The names of a notebook in which `share_compiled` is at work."""
    original = target_extension.resolve_dispatcher_from_str
    monkeypatch.setattr(target_extension, "resolve_dispatcher_from_str", original)
    names = {"numba": numba, "__name__": "__main__"}
    assert share_compiled(names)
    return names


def run(namespace, factor=2, fast=False, cell=CELL):
    exec(compile(cell.format(factor=factor, fast=fast), "cell", "exec"), namespace)
    return namespace["twice"]


def test_a_cell_that_runs_again_gets_its_compiled_functions_back(namespace):
    first = run(namespace)
    assert first(3) == 12 and run(namespace) is first
    namespace.pop("twice"), namespace.pop("helper"), namespace.pop("FACTOR")
    assert run(namespace) is first


@pytest.mark.parametrize(
    "change",
    [
        {"factor": 3},
        {"fast": True},
        {"cell": CELL.replace("+ helper(x)", "- -helper(x)")},
        {"cell": CELL.replace("FACTOR * x", "x * FACTOR")},
    ],
)
def test_what_is_made_of_anything_else_is_compiled_anew(namespace, change):
    first = run(namespace)
    second = run(namespace, **change)
    assert second is not first
    assert second(3) == 6 * change.get("factor", 2)


def test_a_helper_of_the_same_name_is_seen(namespace):
    first = run(namespace)
    assert first(3) == 12
    namespace["helper"] = numba.njit(lambda x: x)
    cell = CELL[CELL.index("@numba.njit(fast") :]
    blank = "\n" * CELL[: CELL.index("@numba.njit(fast")].count("\n")
    assert run(namespace, cell=blank + cell)(3) == 6


def test_other_modules_functions_are_left_alone(namespace):
    elsewhere = {"numba": numba}
    assert run(elsewhere) is not run(elsewhere)
