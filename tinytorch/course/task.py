"""One submission as a task: data in, a record out, in any process on any host that has the package.

A student's fault is a record like any other; only what is the grader's own fault is called
"infrastructure", and may be tried again. No gradebook is touched.
"""

import base64
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils

import tinytorch
from tinytorch.course.clean import clean_copy
from tinytorch.course.graded_files import is_test_cell
from tinytorch.course.isolation import IsolatedExecute, is_test, named_cells, say_trusted
from tinytorch.course.judging import GraderFault, Judged, Limits, judge_notebook
from tinytorch.course.nurseries import nursery_of
from tinytorch.course.parsing import parse
from tinytorch.course.project import CourseError, Project
from tinytorch.course.records import VERSION, versions
from tinytorch.course.reference import ReleasedCell
from tinytorch.course.sandbox import NoSandbox

TRUSTED = "none: submissions were trusted"
_STATES = {"CellTimeoutError": "hung", "KernelDied": "died", "DidNotRun": "not run"}


def grade_submission(task: dict[str, Any]) -> dict[str, Any]:
    """Grade one submission; the record of it, whose state says how far that came.

    task: what hand_ins.py makes of a submission. Everything in it and in the record is JSON.
    """
    started, used = time.monotonic(), time.process_time()
    record: dict[str, Any] = {
        "version": VERSION,
        **{name: task[name] for name in ("key", "student", "assignment", "notebook", "seed")},
        "state": "graded",
        "reason": "",
        "executed": None,
        "restored": [],
        "versions": versions(),
        "sandbox": TRUSTED if task["trusted"] else "",
        "host": platform.node(),
    }
    try:
        record |= _graded(task)
    except CourseError as error:
        record |= _refused(task, str(error))
    except (GraderFault, NoSandbox, OSError, MemoryError) as error:
        record |= {"state": "infrastructure", "reason": f"{type(error).__name__}: {error}"[:1_000]}
    record["seconds"] = record.get("seconds", {}) | {"all": time.monotonic() - started}
    record["cpu"] = {"worker": time.process_time() - used}
    record["when"] = datetime.now(UTC).isoformat()
    return record


def _graded(task: dict[str, Any]) -> dict[str, Any]:
    if task["refused"]:
        raise CourseError(task["refused"])
    began = time.monotonic()
    source = nbformat.reads(task["release"]["notebook"], as_version=4)
    notebook, restored = clean_copy(parse(task["submission"]), source, _released(task))
    clean = time.monotonic() - began
    companions = {name: base64.b64decode(data) for name, data in task["companions"].items()}
    run = _run_trusted if task["trusted"] else _run_judged
    judged = run(task, notebook, source, companions)
    scores = {}
    for name, cell in named_cells(notebook).items():
        if is_test(cell):
            score, most = utils.determine_grade(cell)
            scores[name] = [float(score or 0.0), float(most)]
    return {
        "state": "timeout" if judged.late else "graded",
        "executed": nbformat.writes(notebook),
        "scores": scores,
        "cells": judged.states,
        "restored": restored,
        "sandbox": judged.sandbox,
        "seconds": judged.seconds | {"intake": clean},
    }


def _released(task: dict[str, Any]) -> dict[str, ReleasedCell]:
    return {name: ReleasedCell(**cell) for name, cell in task["release"]["cells"].items()}


def _refused(task: dict[str, Any], reason: str) -> dict[str, Any]:
    """Nothing of it was run, so no test has passed."""
    released = _released(task).items()
    points = {name: float(cell.points or 0) for name, cell in released if is_test_cell(cell)}
    return {
        "state": "refused",
        "reason": reason,
        "scores": {name: [0.0, most] for name, most in points.items()},
        "cells": dict.fromkeys(points, "not run"),
    }


def _project(task: dict[str, Any]) -> Project:
    """The course's folder where it is at hand; else this package stands for it."""
    root = task.get("root")
    if root and (Path(root) / "tinytorch").is_dir():
        return Project(Path(root))
    return Project(Path(tinytorch.__path__[0]).parent)


def _run_judged(
    task: dict[str, Any], notebook: NotebookNode, source: NotebookNode, files: dict[str, bytes]
) -> Judged:
    nursery = nursery_of(_project(task), source)
    known = set(Limits.__dataclass_fields__)
    limits = Limits(**{k: v for k, v in task["limits"].items() if k in known})
    return judge_notebook(notebook, source, nursery, task["seed"], files, limits)


def _run_trusted(
    task: dict[str, Any], notebook: NotebookNode, source: NotebookNode, files: dict[str, bytes]
) -> Judged:
    """Student's code and tests in one kernel: for submissions that are trusted."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        execute = IsolatedExecute(seed=task["seed"], timeout=task["limits"]["timeout"])
        execute.project, execute.source = _project(task), source
        facts = {"nbgrader": {"assignment": task["assignment"]}, "metadata": {"path": folder}}
        execute.preprocess(notebook, facts)
    say_trusted(notebook)
    judged = Judged(sandbox=TRUSTED, seconds={"tests": time.monotonic() - started})
    for name, cell in named_cells(notebook).items():
        if is_test(cell):
            errors = [o.ename for o in cell.outputs if o.output_type == "error"]
            judged.states[name] = _STATES.get(errors[-1], "failed") if errors else "passed"
    return judged
