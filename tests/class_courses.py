"""Small courses with a class in them, and what a gradebook says without ids."""

import json
import os
import shutil
import signal
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
import sqlalchemy as sql
from nbgrader.api import Gradebook

from tinytorch.course import batch
from tinytorch.course.dispatch import Workers
from tinytorch.course.isolation import named_cells
from tinytorch.course.project import Project
from tinytorch.course.submissions import hand_in

COURSE_FILES = ("nbgrader_config.py", "settings.ini", "pyproject.toml", "constraints.txt")
A, NB = "01_double", "double_dev"
FUNCTION = "class_tasks:from_text"
# In this process: no start of workers to wait for. What only processes do has tests of its own.
THREADS = Workers(lambda: ThreadPoolExecutor(2), 4)
ROWS = """
select s.id, a.timestamp, n.late_submission_penalty, b.name, g.auto_score, g.manual_score,
       g.extra_credit, g.needs_manual_grade, c.auto_comment, c.manual_comment
from base_cell b
left join grade g on g.cell_id = b.id
left join comment c on c.cell_id = b.id
join submitted_notebook n on n.id = coalesce(g.notebook_id, c.notebook_id)
join submitted_assignment a on a.id = n.assignment_id
join student s on s.id = a.student_id
"""


def rows(project):
    """Everything that grading writes, in an order of its own, without ids."""
    with Gradebook(project.gradebook_url) as book, book.engine.connect() as db:
        typed = sql.text(ROWS).columns(timestamp=sql.DateTime, needs_manual_grade=sql.Boolean)
        return sorted(tuple(map(str, row)) for row in db.execute(typed))


def write_empty_gradebook(path):
    """Write a gradebook.db without entries; nbgrader runs alembic for that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)
        Gradebook(f"sqlite:///{path}", "tinytorch").close()


def change(path, edit):
    """Let `edit(notebook, cells by grade_id)` change a submission's file."""
    notebook = nbformat.read(path, as_version=4)
    edit(notebook, named_cells(notebook))
    nbformat.write(notebook, path)


def write_class(project, names, wrong=()):
    """Hand in for everybody; those in `wrong` lose the hidden test."""
    for name in names:
        answer = "def double(x):\n    return x + x"
        note = "# WRONG test_double_hidden" if name in wrong else f"# by {name}"
        hand_in(project, A, name, {"double": f"{answer}\n{note}"})


def grade(project, *args, **options):
    """Grade with the stub, in threads."""
    defaults = {"workers": THREADS, "function": FUNCTION}
    return batch.grade(project, A, *args, **(defaults | options))


def states(outcomes):
    return {outcome.student: outcome.state for outcome in outcomes}


def trouble(tmp_path, monkeypatch, **told):
    """Let something happen to the workers of some students: what, and how often."""
    path = tmp_path / "trouble.json"
    path.write_text(json.dumps(told))
    monkeypatch.setenv("TINYTORCH_TEST_TROUBLE", str(path))
    return lambda student: (
        len(file.read_text().split())
        if (file := path.with_name(f"{path.name}.{student}")).exists()
        else 0
    )


def _cell(grade_id, source, markdown=False, **flags):
    meta = {"grade": False, "locked": False, "schema_version": 3, "solution": False, "task": False}
    said = json.dumps(meta | flags | {"grade_id": grade_id}, sort_keys=True)
    return f"# %%{' [markdown]' if markdown else ''} nbgrader={said}\n{source}\n\n"


def pair_lesson():
    """Two answers with 1 + 2 points each, and a question of 5 points."""
    text = "# ---\n# jupyter:\n#   kernelspec:\n#     display_name: Python 3\n"
    text += "#     language: python\n#     name: python3\n# ---\n\n"
    text += "# %%\n#| default_exp core.kernels\n\n"
    for value, name in ((1, "one"), (2, "two")):
        stub = f"def {name}():\n    ### BEGIN SOLUTION\n    return {value}\n    ### END SOLUTION"
        check = f"assert {name}() == {value}"
        hidden = f"### BEGIN HIDDEN TESTS\nassert {name}() + 1 == {value + 1}\n### END HIDDEN TESTS"
        text += _cell(name, f"#| export\n{stub}", solution=True)
        text += _cell(f"test_{name}", check, grade=True, locked=True, points=1)
        text += _cell(f"test_{name}_hidden", hidden, grade=True, locked=True, points=2)
    answer = "# ### BEGIN SOLUTION\n# Because.\n# ### END SOLUTION"
    return text + _cell("answer_why", answer, True, grade=True, points=5, solution=True)


def make_pair_course(repo, root, gradebook):
    """Make a course with the assignment 02_pair."""
    folder = root / "modules" / "source" / "02_pair"
    folder.mkdir(parents=True)
    (folder / "pair_dev.py").write_text(pair_lesson())
    shutil.copyfile(repo / "modules" / "source" / "jupytext.toml", folder.parent / "jupytext.toml")
    ignored = shutil.ignore_patterns("course", "*.npz")
    shutil.copytree(repo / "tinytorch", root / "tinytorch", ignore=ignored)
    shutil.copyfile(repo / "settings.ini", root / "settings.ini")
    config = (repo / "nbgrader_config.py").read_text()
    (root / "nbgrader_config.py").write_text(f"{config}\nc.IsolatedExecute.timeout = 3\n")
    shutil.copyfile(gradebook, root / "gradebook.db")
    return Project(root)


class Killer:
    """Kills this process at the n-th step that leaves a trace: a file, a statement, a commit."""

    def __init__(self, at):
        self.left = at

    def __call__(self, *args, **kwargs):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self):
        replace, fsync = os.replace, os.fsync
        os.replace = lambda *args: (self(), replace(*args), self())
        os.fsync = lambda file: (fsync(file), self())
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            sql.event.listen(sql.engine.Engine, name, self)


def graded_until_killed(course, at):
    """Grade in a process of its own that ends at its n-th step; True if it came to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            Killer(at).arm()
            grade(course)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)


TINY_LESSON = '''\
# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: nbgrader,tags,-all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Doubling
#
# > Twice as much, in one line.

# %% nbgrader={"grade": false, "grade_id": "setup_export", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| default_exp core.kernels

# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    twice_as_much = x + x
    return twice_as_much
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_double", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
assert double(2) == 4, "2 doubled is 4"

# %% nbgrader={"grade": true, "grade_id": "test_double_hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: negative numbers.
### BEGIN HIDDEN TESTS
assert double(-1024) == -2048
### END HIDDEN TESTS

# %% [markdown]
# ## What now

# %% [markdown]
# ## What now
'''  # noqa: E501


def tiny_course(repo: Path, folder: Path, gradebook: Path | None = None) -> Project:
    """Make a course with the assignment 01_double: one answer, two test cells."""
    root = folder / "tiny"
    lesson = root / "modules" / "source" / "01_double"
    lesson.mkdir(parents=True)
    (lesson / "double_dev.py").write_text(TINY_LESSON, encoding="utf-8")
    (lesson / "README.md").write_text("# Doubling\n", encoding="utf-8")
    shutil.copyfile(repo / "modules" / "source" / "jupytext.toml", lesson.parent / "jupytext.toml")
    for name in COURSE_FILES:
        if (repo / name).is_file():
            shutil.copyfile(repo / name, root / name)
    if gradebook:
        shutil.copyfile(gradebook, root / "gradebook.db")
    package = root / "tinytorch"
    package.mkdir()
    (package / "__init__.py").write_text('"""Tiny."""\n', encoding="utf-8")
    # nbgrader's commands put the working directory first on sys.path: they must find the course
    # here too, and a judge the parts that it is made of.
    ignore = shutil.ignore_patterns("__pycache__", "kernels.py")
    for part in ("core", "lab", "course"):
        shutil.copytree(repo / "tinytorch" / part, package / part, ignore=ignore)
    return Project(root)
