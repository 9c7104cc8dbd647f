"""The plain nbgrader commands, as an instructor without tito types them, in the real course."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from tinytorch.course.isolation import named_cells
from tinytorch.course.project import Project
from tinytorch.course.submissions import hand_in

A = "11_kernels"
NB = "kernels_dev"
CHEATS = {
    "import_reference": "from tinytorch.core.kernels import *",
    "import_lesson": "from kernels_dev import *",
    "read_lesson": "from pathlib import Path\n"
    "exec(Path('../../../modules/source/11_kernels/kernels_dev.py').read_text())",
    "import_from_root": "import sys\nsys.path.insert(0, '../../..')\n"
    "for n in [n for n in sys.modules if n.startswith('tinytorch')]: del sys.modules[n]\n"
    "from tinytorch.core.kernels import *",
    "editable_finder": "import importlib.machinery, pkgutil, sys\n"
    "for n in [n for n in sys.modules if n.startswith('tinytorch')]: del sys.modules[n]\n"
    "sys.path[:] = [p for p in sys.path if 'package' not in p.split('/')[-1:]]\n"
    "for m in pkgutil.iter_modules():\n"
    "    if m.name.startswith('__editable__'): __import__(m.name).install()\n"
    "from tinytorch.core.kernels import *",
}


def nbgrader(project: Project, *words: str) -> str:
    """Run `nbgrader ...` in the course's root; returns its output, fails on a bad exit code."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("NBGRADER")}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    env["PYTHONPATH"] = str(Path(__file__).parents[2])
    env["USER"] = env["LOGNAME"] = "instructor"
    command = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(command, cwd=project.root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def submit(project: Project, home: Path) -> None:
    """Hand in through the exchange what a student did in a folder of their own."""
    exchange = f"--Exchange.root={project.root / 'exchange'}"
    nbgrader(Project(home), "fetch_assignment", A, "--course=tinytorch", exchange)
    nbgrader(Project(home), "submit", A, "--course=tinytorch", exchange)


@pytest.fixture(scope="session")
def commanded(released, tmp_path_factory, sandbox) -> Project:
    """A copy of the course taken through every command, with eight students."""
    root = tmp_path_factory.mktemp("plain") / "course"
    ignore = shutil.ignore_patterns("release", "gradebook.db", "build")
    shutil.copytree(released.root, root, ignore=ignore)
    project = Project(root)
    nbgrader(project, "generate_assignment", A)
    nbgrader(project, "release_assignment", A)
    hand_in(project, A, "reference", {})
    hand_in(project, A, "untouched", {}, base="stubs")
    for student, source in CHEATS.items():
        hand_in(project, A, student, {"matmul_baseline": source}, base="stubs")
    submit(project, tmp_path_factory.mktemp("student"))
    nbgrader(project, "collect", A)
    nbgrader(project, "autograde", A)
    nbgrader(project, "generate_feedback", A)
    nbgrader(project, "export")
    return project


def scores(project: Project) -> dict[str, float]:
    with Gradebook(project.gradebook_url) as book:
        return {s.student_id: s.score for s in book.assignment_submissions(A)}


def test_the_assignment_is_in_the_exchange(commanded):
    outbound = commanded.root / "exchange" / "tinytorch" / "outbound" / A
    assert (outbound / f"{NB}.ipynb").is_file()
    assert not list(outbound.rglob("*.py"))


def test_what_came_through_the_exchange_is_graded(commanded):
    by_command = {"reference", "untouched", *CHEATS}
    (student,) = set(scores(commanded)) - by_command
    assert scores(commanded)[student] == 0
    assert (commanded.autograded / student / A / f"{NB}.ipynb").is_file()


def test_the_reference_gets_every_point(commanded):
    assert scores(commanded)["reference"] == 100


def test_the_untouched_release_gets_none(commanded):
    assert scores(commanded)["untouched"] == 0


@pytest.mark.parametrize("student", CHEATS)
def test_what_a_cheat_can_import_or_reach_gives_nothing(commanded, student):
    assert scores(commanded)[student] == 0


def test_each_visible_test_says_what_is_missing(commanded):
    path = commanded.autograded / "untouched" / A / f"{NB}.ipynb"
    cells = named_cells(nbformat.read(path, as_version=4))
    tests = [n for n in cells if n.startswith("test_") and "_hidden" not in n]
    assert len(tests) == 13
    for name in tests:
        errors = [o.evalue for o in cells[name].outputs if o.output_type == "error"]
        assert errors == [f"{name.removeprefix('test_')} is not written yet"]


def test_feedback_is_written_and_grades_are_exported(commanded):
    assert (commanded.feedback / "reference" / A / f"{NB}.html").is_file()
    assert "reference" in (commanded.root / "grades.csv").read_text()
