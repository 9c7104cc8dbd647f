"""Task functions to grade a class with in tests: from the text alone, and by a kernel.

A submission says in its own text what should become of it: `WRONG <name>` in any cell loses that
test's points; `TROUBLE <what>` in a file named by TINYTORCH_TEST_TROUBLE happens to the worker.
Imports are few, so that a worker starts quickly.
"""

import json
import os
import platform
import signal
import time
from pathlib import Path


def from_text(task):
    """Score a submission from its text: no kernel, a millisecond."""
    _trouble(task)
    base = {
        "version": 1,
        "key": task["key"],
        "student": task["student"],
        "assignment": task["assignment"],
        "notebook": task["notebook"],
        "state": "graded",
        "reason": "",
        "restored": [],
        "seed": task["seed"],
        "versions": {"python": platform.python_version()},
        "sandbox": "none: submissions were trusted" if task["trusted"] else "a stub",
        "seconds": {"all": 0.001},
        "cpu": {},
        "host": platform.node(),
        "when": "2026-01-01T00:00:00+00:00",
    }
    cells = task["release"]["cells"]
    tests = {n: c["points"] for n, c in cells.items() if c["points"] and not c["solution"]}
    refused = task["refused"] or _no_notebook(task["submission"])
    if refused:
        zeros = {name: [0.0, points] for name, points in tests.items()}
        return base | {"state": "refused", "reason": refused, "executed": None,
                       "scores": zeros, "cells": dict.fromkeys(tests, "not run")}  # fmt: skip
    notebook = json.loads(task["submission"])
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"]) + "\n"
    states = {}
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name not in tests:
            continue
        states[name] = "failed" if f"WRONG {name}\n" in text else "passed"
        states[name] = "died" if f"DIED {name}\n" in text else states[name]
        cell["source"] = cells[name]["source"]
        said = {"output_type": "error", "ename": "AssertionError", "evalue": name, "traceback": []}
        cell["outputs"] = [] if states[name] == "passed" else [said]
    scores = {n: [p if states.get(n) == "passed" else 0.0, p] for n, p in tests.items()}
    state = "timeout" if "SLOW" in text else "graded"
    return base | {"state": state, "executed": json.dumps(notebook), "scores": scores,
                   "cells": {n: states.get(n, "not run") for n in tests}}  # fmt: skip


def _no_notebook(text):
    try:
        json.loads(text)["cells"]
    except (ValueError, TypeError, KeyError):
        return "The submitted file is not a notebook."
    return ""


def _trouble(task):
    """Do what the test asks for; each student's trouble is counted in a file beside it."""
    where = os.environ.get("TINYTORCH_TEST_TROUBLE")
    if not where:
        return
    told = json.loads(Path(where).read_text())
    with open(f"{where}.{task['student']}", "a") as file:
        file.write(f"{os.getpid()}\n")
    times = len(Path(f"{where}.{task['student']}").read_text().splitlines())
    what, often = told.get(task["student"], ("", 0))
    if times > often:
        return
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "raise":
        raise OSError("no space left on device")
    if what == "fault":
        raise FaultyRecord(task)
    if what == "wait":
        time.sleep(3600)


def tell(name, value):
    """Set a variable in a worker that runs already."""
    os.environ[name] = value


class FaultyRecord(Exception):
    """What a worker may fail with, and no executor knows of."""


def infrastructure(task):
    """Say every time that the grader itself failed."""
    _trouble(task)
    known = {name: task[name] for name in ("key", "student", "seed")}
    said = {"version": 1, "state": "infrastructure", "reason": "the sandbox did not start"}
    return known | said | {"executed": None}


def nonsense(task):
    """Return what is no record."""
    return {"version": 1, "key": "another", "student": task["student"], "state": "graded"}


def dies(*_):
    """End the process that it runs in."""
    os.kill(os.getpid(), signal.SIGKILL)
