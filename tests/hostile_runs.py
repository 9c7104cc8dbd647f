"""Hands hostile submissions in, has them graded, and looks at what that left behind.

For test_hostile.py, and for the table in benchmarks/hostile_table.py.
"""

import hashlib
import json
import os
import select
import shutil
from pathlib import Path
from typing import Any

from tests.hostile_folders import BUILDERS
from tinytorch.course.hand_ins import HandIns
from tinytorch.course.hostile import Attack, hand_in_attack
from tinytorch.course.project import Project
from tinytorch.course.submissions import hand_in
from tinytorch.course.task import grade_submission

ASSIGNMENT = "11_kernels"
# Tight, so that many hangs take a minute; honest submissions are graded with the usual ones.
LIMITS = {"submission": 60.0, "wall": 30.0, "call": 5.0, "cpu": 5.0}
_PATIENCE = 20.0  # seconds in which a process that was told to end may end


def throwaway(released: Project, root: Path) -> Project:
    """A copy of a released course that attacks may look for, with a victim's submission in it."""
    shutil.copytree(released.root, root, symlinks=True)
    project = Project(root)
    (root / "throwaway").touch()
    hand_in(project, ASSIGNMENT, "victim", {})
    return project


def hand_in_anew(project: Project, attack: Attack, student: str) -> Path:
    """Write an attack into `submitted`, in the place of what the student had there."""
    remove_submission(project, student)
    return hand_in_attack(project, ASSIGNMENT, attack, student, BUILDERS)


def remove_submission(project: Project, student: str) -> None:
    """Remove what one student handed in."""
    shutil.rmtree(project.submitted / student, ignore_errors=True)


def task_of(project: Project, student: str, limits: dict[str, float]) -> dict[str, Any]:
    """The task that a submission is graded by, with other limits than the usual ones."""
    task = HandIns(project, ASSIGNMENT, seed=0).task(student)
    return task | {"limits": task["limits"] | limits}


def graded(project: Project, student: str, limits: dict[str, float] | None = None) -> dict:
    """The record of one submission; through JSON, as everything that comes from a worker."""
    task = json.loads(json.dumps(task_of(project, student, limits or {})))
    return json.loads(json.dumps(grade_submission(task), allow_nan=False))


def outputs_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    """All outputs of a record's executed notebook."""
    if record["executed"] is None:
        return []
    cells = json.loads(record["executed"])["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


def fingerprint(project: Project) -> dict[str, str]:
    """The contents of all that belongs to the instructor and to others, by path."""
    found = {}
    for path in sorted(project.root.rglob("*")):
        relative = path.relative_to(project.root)
        made_again = "__pycache__" in relative.parts or relative.parts[0] in ("build", "submitted")
        if made_again and relative.parts[:2] != ("submitted", "victim"):
            continue
        if path.is_symlink():
            found[str(relative)] = os.readlink(path)
        elif path.is_file():
            found[str(relative)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def descendants() -> set[int]:
    """All processes below this one."""
    parents: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path("/proc", name, "stat").read_text(errors="replace").rpartition(")")[2]
        except OSError:
            continue
        state, parent = fields.split()[:2]
        if state != "Z":
            parents.setdefault(int(parent), []).append(int(name))
    found, todo = set(), [os.getpid()]
    while todo:
        children = parents.get(todo.pop(), [])
        found.update(children)
        todo += children
    return found


def still_running(pids: set[int]) -> set[int]:
    """Those that do not end, though they are given time."""
    left = set()
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if not select.select([handle], [], [], _PATIENCE)[0]:
            left.add(pid)
        os.close(handle)
    return left
