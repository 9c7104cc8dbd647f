"""Courses to test with: a tiny one per test, and one copy of the real one."""

import shutil
import sys
from pathlib import Path

import pytest
from class_courses import COURSE_FILES, tiny_course, write_empty_gradebook

from tinytorch.course import batch, cli, compiled
from tinytorch.course.build import build
from tinytorch.course.project import Project
from tinytorch.course.release import generate, release


@pytest.fixture(scope="session")
def released_tiny(repo, tmp_path_factory, empty_gradebook) -> Project:
    """The tiny course, released. Shared: take `own_tiny` or `little_class` to change something."""
    project = tiny_course(repo, tmp_path_factory.mktemp("released"), empty_gradebook)
    build(project)
    generate(project, "01_double")
    return project


@pytest.fixture
def own_tiny(released_tiny, tmp_path) -> Project:
    """A released tiny course."""
    shutil.copytree(released_tiny.root, tmp_path / "tiny")
    return Project(tmp_path / "tiny")


@pytest.fixture
def little_class(own_tiny, monkeypatch) -> Project:
    """A released tiny course; its reference is taken for right, as it is tested elsewhere."""
    monkeypatch.setattr(batch, "check_reference", lambda *_, **__: None)
    return own_tiny


def copy_course(repo: Path, dest: Path) -> Project:
    """Copy what a course needs of the repository, and nothing that was built."""
    for name in COURSE_FILES:
        if (repo / name).is_file():
            shutil.copyfile(repo / name, dest / name)
    ignore = shutil.ignore_patterns("__pycache__", "*.ipynb", "kernels.py", ".ipynb_checkpoints")
    for name in ("modules", "tinytorch"):
        shutil.copytree(repo / name, dest / name, ignore=ignore)
    compiled.share(Project(repo), Project(dest))
    return Project(dest)


@pytest.fixture
def tito(monkeypatch, capsys):
    """Run one command line in this process; returns (exit code, stdout, stderr)."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["tito", *map(str, words)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
            raise SystemExit(0)
        out = capsys.readouterr()
        return exit_.value.code or 0, out.out, out.err

    return run


@pytest.fixture(scope="session")
def released(tmp_path_factory) -> Project:
    """A copy of the repository's course, built and released. Shared: do not change its lesson."""
    repo = Path(__file__).parents[2]
    project = copy_course(repo, tmp_path_factory.mktemp("course"))
    release(project, "11_kernels")
    return project


@pytest.fixture(scope="session")
def empty_gradebook(tmp_path_factory) -> Path:
    """A gradebook.db without entries: nbgrader takes two seconds to make one."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    write_empty_gradebook(path)
    return path


@pytest.fixture
def tiny(repo, tmp_path, empty_gradebook) -> Project:
    """A course of its own with the assignment 01_double: one answer, two test cells."""
    return tiny_course(repo, tmp_path, empty_gradebook)


@pytest.fixture
def edit_lesson(tiny):
    """Replace text in the tiny lesson; the text must be there."""

    def edit(old: str, new: str) -> None:
        script = tiny.script("01_double")
        text = script.read_text(encoding="utf-8")
        assert old in text
        script.write_text(text.replace(old, new), encoding="utf-8")

    return edit
