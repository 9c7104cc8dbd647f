"""Compiled helpers: from the run of the reference into every later room, and from nobody else."""

from pathlib import Path

import pytest

from tinytorch.course import compiled, isolation, judged_execute, reference
from tinytorch.course.build import build
from tinytorch.course.isolation import grading_room
from tinytorch.course.project import Project

# What Numba does while a notebook runs: files beside the package's own.
COMPILES = """
from pathlib import Path
import tinytorch.core
cache = Path(tinytorch.core.__file__).parent / "__pycache__"
cache.mkdir(exist_ok=True)
for name in ("helper.nbi", "helper.1.nbc", "helper.txt"):
    (cache / name).write_text("compiled")
"""


@pytest.fixture
def built(tiny) -> Project:
    build(tiny)
    return tiny


def run(project: Project, trusted: bool) -> None:
    notebook = reference.read_source(project, "01_double")
    (answer,) = [c for c in notebook.cells if "def double" in c.source]
    answer.source += COMPILES
    reference.score_notebook(project, "01_double", notebook, trusted=trusted)


def found(package: Path) -> set[str]:
    """Names of the files that are no Python, in a package's core."""
    paths = (package / "tinytorch/core").rglob("*")
    return {p.name for p in paths if p.is_file() and p.suffix not in (".py", ".pyc")}


def test_what_the_reference_compiled_is_in_the_next_room(built):
    run(built, trusted=True)
    with grading_room(built) as room:
        assert found(room.package) == {"helper.nbi", "helper.1.nbc"}


def test_what_a_submission_compiled_goes_with_its_room(built):
    run(built, trusted=False)
    assert not (built.build / "compiled").exists()
    run(built, trusted=True)
    with grading_room(built) as room:
        (room.package / "tinytorch/core/__pycache__/evil.nbi").write_text("mine")
    with grading_room(built) as room:
        assert found(room.package) == {"helper.nbi", "helper.1.nbc"}


def test_a_store_is_never_changed(built):
    run(built, trusted=True)
    with grading_room(built) as room:
        (room.package / "tinytorch/core/__pycache__/helper.nbi").write_text("another")
        compiled.keep(built, room.package)
    (kept,) = (built.build / "compiled").rglob("helper.nbi")
    assert kept.read_text() == "compiled"


def test_a_changed_package_starts_anew(built):
    run(built, trusted=True)
    core = built.package / "core"
    (core / "__init__.py").write_text('"""Core, changed."""\n')
    with grading_room(built) as room:
        assert found(room.package) == set()


def test_where_nothing_can_be_stored_grading_goes_on(built):
    built.build.mkdir(exist_ok=True)
    (built.build / "compiled").write_text("a file where the folder would be")
    run(built, trusted=True)
    with grading_room(built) as room:
        assert found(room.package) == set()


def test_before_the_first_judged_run_something_is_stored(built, monkeypatch):
    ways = []
    monkeypatch.setattr(
        isolation.IsolatedExecute,
        "preprocess",
        lambda self, nb, resources, km=None: (ways.append("kernel"), (nb, resources))[1],
    )
    monkeypatch.setattr(judged_execute, "nursery_of", lambda *_: None)
    monkeypatch.setattr(judged_execute, "judge_notebook", lambda *_: ways.append("sandbox"))

    def checked(**settings):
        ways.clear()
        execute = judged_execute.JudgedExecute(**settings)
        execute.project, execute.trusted = built, True
        notebook = reference.read_source(built, "01_double")
        execute.preprocess(notebook, {"nbgrader": {"assignment": "01_double"}})
        return list(ways)

    assert checked() == ["sandbox"]  # nothing to compile
    script = built.script("01_double")
    script.write_text(script.read_text() + "\n# %%\nimport numba\n")
    build(built)
    assert checked() == ["kernel", "sandbox"]
    assert checked(trust_submissions=True) == ["kernel"]  # which keeps what it compiles
    with grading_room(built) as room:
        (room.package / "tinytorch/core/__pycache__").mkdir(exist_ok=True)
        (room.package / "tinytorch/core/__pycache__/fast.nbi").write_text("compiled")
        compiled.keep(built, room.package)
    assert checked() == ["sandbox"]
