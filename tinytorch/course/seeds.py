"""The seed that hidden tests draw their instances from: one for a grading run, kept with a grade.

It lies beside a student's graded notebook, where a regrade finds it again; the room that runs the
notebook hands it on as an environment variable (tinytorch.lab.expect reads it).
"""

import functools
import json
import secrets
from pathlib import Path

from tinytorch.course.project import Project

VARIABLE = "TINYTORCH_GRADING_SEED"  # as in tinytorch.lab.expect, which grading does not import
LARGEST = 2**32 - 1


@functools.cache
def of_this_run() -> int:
    """Return the seed that everybody gets who is graded for the first time in this process."""
    return secrets.randbelow(LARGEST + 1)


def recorded(project: Project, assignment: str, student: str) -> int | None:
    """Return the seed of a student's last grading; None without one."""
    try:
        seed = json.loads(_path(project, assignment, student).read_text(encoding="utf-8"))["seed"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return seed if isinstance(seed, int) and 0 <= seed <= LARGEST else None


def record(project: Project, assignment: str, student: str, seed: int) -> None:
    """Keep the seed with the grade."""
    path = _path(project, assignment, student)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"seed": seed}) + "\n", encoding="utf-8")


def _path(project: Project, assignment: str, student: str) -> Path:
    # Beside the assignment's folder, which nbgrader empties before each grading.
    return project.autograded / student / f"{assignment}.seed.json"
