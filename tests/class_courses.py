"""A class in the tiny course, and what its gradebook says without ids."""

import json
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sql
from nbgrader.api import Gradebook

from tinytorch.course import batch
from tinytorch.course.dispatch import Workers
from tinytorch.course.submissions import hand_in

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
        return sorted(tuple(map(str, row)) for row in db.execute(sql.text(ROWS)))


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
