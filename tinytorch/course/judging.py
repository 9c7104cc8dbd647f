"""Grades one notebook in a judge: what the course's other parts call.

The judge's verdicts are believed, and nothing else: a test cell begins as "did not run", and only
a verdict changes that. How the judge comes to them is in judge.py.
"""

import ast
import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output
from nbgrader import utils

from tinytorch.course import sandbox, seeds
from tinytorch.course.isolation import (
    Room,
    grading_room,
    is_test,
    is_ungraded,
    named_cells,
    ungraded_definitions,
)
from tinytorch.course.lesson import tested_answer
from tinytorch.course.project import CourseError, Project

_HERE = Path(__file__).resolve().parent
# The course is no part of a student's package: only its own modules are found, by this one process.
_START = """\
import sys, types, builtins, _sitebuiltins
builtins.help = _sitebuiltins._Helper()
import tinytorch
course = types.ModuleType("tinytorch.course")
course.__path__ = [sys.argv.pop(1)]
sys.modules["tinytorch.course"] = course
from tinytorch.course.nursery import main
main()
"""


class GraderFault(RuntimeError):
    """The grader itself failed, not the student; the same submission may be tried again."""


@dataclass(frozen=True)
class Limits:
    """What a submission may take: seconds in all, of a cell, of a call, of processor time a cell.

    memory: bytes, and tasks: processes and threads, of everything that it runs.
    """

    submission: float = 300.0
    wall: float = 90.0
    call: float = 30.0
    cpu: float = 20.0
    memory: int = 2 << 30
    tasks: int = 400


@dataclass
class Judged:
    """What became of a notebook: a state for each test cell, and the seconds that went where.

    states: "passed", "failed", "died", "hung" or "not run". late: whether the time of the whole
    submission ran out.
    """

    states: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    late: bool = False
    sandbox: str = ""


def answers_of(source: NotebookNode) -> dict[str, list[str]]:
    """The functions and classes that each answer cell of the instructor defines, by grade_id."""
    found = {}
    for grade_id, cell in named_cells(source).items():
        if cell.cell_type == "code" and utils.is_solution(cell):
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            body = ast.parse(cell.source).body
            found[grade_id] = [node.name for node in body if isinstance(node, kinds)]
    return found


def judge_notebook(
    nb: NotebookNode,
    source: NotebookNode,
    nursery: "Nursery",
    seed: int,
    companions: dict[str, bytes] | None = None,
    limits: Limits | None = None,
) -> Judged:
    """Run a clean notebook in a judge, and write what came of its cells into their outputs.

    source: the instructor's notebook, whose names and tags count. Raises GraderFault where the
    judge did not come to its end by no fault of the student.
    """
    limits = limits or Limits()
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if is_test(cell):
            cell.metadata.pop("tags", None)
            cell.outputs = [_not_run("the grading ended before it")]
    judged = Judged(sandbox=nursery.sandbox)
    tests = {i: c.metadata.nbgrader["grade_id"] for i, c in enumerate(nb.cells) if is_test(c)}
    judged.states = dict.fromkeys(tests.values(), "not run")
    order = _order(nb, source, limits) | {
        "seed": seed,
        "companions": {name: data.hex() for name, data in (companions or {}).items()},
    }
    started, ended = time.monotonic(), False
    for said in nursery.judge(order, limits.submission):
        if "broken" in said:
            raise GraderFault(said["broken"].strip().splitlines()[-1])
        if said.get("end"):
            judged.seconds |= said["seconds"]
            ended = True
            continue
        index, state = said["index"], said["state"]
        _write(nb.cells[index], said["outputs"])
        if index in tests:
            judged.states[tests[index]] = state
            if state != "passed" and not _has_error(nb.cells[index]):
                nb.cells[index].outputs.append(_not_run("it did not pass"))
    judged.seconds["all"] = time.monotonic() - started
    judged.late = not ended and judged.seconds["all"] >= limits.submission
    if not ended and not judged.late:
        raise GraderFault("the judge ended before its verdict")
    if judged.late:
        for index, name in tests.items():
            if judged.states[name] == "not run":
                why = f"the {limits.submission:g} s of the whole submission were over"
                nb.cells[index].outputs = [_not_run(why)]
    return judged


def _not_run(reason: str) -> NotebookNode:
    said = f"this test cell did not run: {reason}"
    return new_output("error", ename="DidNotRun", evalue=said, traceback=[f"DidNotRun: {said}"])


def _has_error(cell: NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.outputs)


def _write(cell: NotebookNode, outputs: list[dict[str, Any]]) -> None:
    cell.outputs = [from_dict(output) for output in outputs]
    if is_test(cell):
        for output in cell.outputs:  # nbgrader scores anything on stderr as 0
            if output.output_type == "stream":
                output.name = "stdout"


def _order(nb: NotebookNode, source: NotebookNode, limits: Limits) -> dict[str, Any]:
    """What the judge is told: the cells that run, in their order, each with its part."""
    names, known = answers_of(source), named_cells(source)
    cells = []
    for index, cell in enumerate(nb.cells):
        if cell.cell_type != "code":
            continue
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        role, text = "student", cell.source
        if is_test(cell):
            role = "test"
        elif is_ungraded(known.get(grade_id, cell)):
            text = ungraded_definitions(text)
        elif utils.is_locked(cell) and not utils.is_solution(cell):
            role = "locked"
        if text.strip():
            cells.append(
                {
                    "index": index,
                    "role": role,
                    "source": text,
                    "label": grade_id or f"cell {index + 1}",
                    "answer": (tested_answer(grade_id) or grade_id) if grade_id else "",
                    "names": names.get(grade_id, []),
                    "hidden": "_hidden" in grade_id,
                }
            )
    budget = {"wall": limits.wall, "call": limits.call, "cpu": limits.cpu}
    most = {"memory": limits.memory, "tasks": limits.tasks}
    return {"cells": cells, "budget": budget, "most": most}


class Nursery:
    """A warm process that judges are forked from, with the room that they find the package in.

    One for a lesson and a process: `close` ends it, and so does the end of this process.
    """

    def __init__(self, project: Project, source: NotebookNode) -> None:
        self.sandbox = sandbox.name()
        self._stack = contextlib.ExitStack()
        self._owner = os.getpid()
        room = self._stack.enter_context(grading_room(project))
        self._control, theirs = socket.socketpair()
        environment = _environment(room)
        with room.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-S", "-P", "-c", _START, str(_HERE), str(theirs.fileno())],
                cwd=room.work,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
            )
        theirs.close()
        self._replies = self._control.makefile("rb")
        orders = {"warm": _warm(source)} | _folders(project, room)
        self._control.sendall(json.dumps(orders).encode() + b"\n")
        if self._replies.readline() != b"ready\n":
            lines = room.log.read_text(errors="replace").strip().splitlines()
            self.close()
            raise GraderFault(f"the judges' nursery did not start: {' / '.join(lines[-3:])}")
        atexit.register(self.close)

    def judge(self, order: dict[str, Any], seconds: float) -> Iterator[dict[str, Any]]:
        """Have a judge forked, and yield what it says; it is ended when that takes too long."""
        plan_out, plan_in = os.pipe()
        said_out, said_in = os.pipe()
        try:
            socket.send_fds(self._control, [b"judge"], [plan_out, said_in])
            pid = int(self._replies.readline() or 0)
        except (OSError, ValueError) as error:
            raise GraderFault(f"the judges' nursery is gone: {error}") from error
        finally:
            os.close(plan_out)
            os.close(said_in)
        if not pid:
            raise GraderFault("the judges' nursery is gone")
        until = time.monotonic() + seconds
        try:
            with contextlib.suppress(BrokenPipeError), os.fdopen(plan_in, "w") as plan:
                json.dump(order, plan)
            yield from _lines(said_out, until)
        finally:
            os.close(said_out)
            for end in (os.killpg, os.kill):
                with contextlib.suppress(OSError):
                    end(pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, and remove its room."""
        if os.getpid() != self._owner:
            return
        self._control.close()
        self._replies.close()
        self.process.kill()
        self.process.wait()
        self._stack.close()
        atexit.unregister(self.close)


def _lines(reading: int, until: float) -> Iterator[dict[str, Any]]:
    pending = b""
    while (left := until - time.monotonic()) > 0:
        if not select.select([reading], [], [], left)[0]:
            return
        part = os.read(reading, 1 << 16)
        if not part:
            return
        *whole, pending = (pending + part).split(b"\n")
        for line in whole:
            yield json.loads(line)


def _environment(room: Room) -> dict[str, str]:
    environment = dict(room.environment)
    for name in ("OMP", "OPENBLAS", "MKL"):
        environment[f"{name}_NUM_THREADS"] = "1"  # their threads would not survive a fork
    environment |= {"VECLIB_MAXIMUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    environment["MPLCONFIGDIR"] = environment["HOME"]
    environment.pop(seeds.VARIABLE, None)
    return environment


def _warm(source: NotebookNode) -> list[str]:
    """What every submission runs first: the instructor's own cells but answers and tests."""
    found = []
    for cell in source.cells:
        if cell.cell_type != "code" or is_test(cell) or utils.is_solution(cell):
            continue
        if is_ungraded(cell):
            found.append(ungraded_definitions(cell.source))
        elif utils.is_locked(cell):
            found.append(cell.source)
    return found


def _folders(project: Project, room: Room) -> dict[str, list[str]]:
    """What a sandbox shows of this computer, and what of that it hides."""
    roots = [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve()]
    readable = [*roots, room.package.parent]
    packages = [Path(entry) for entry in sys.path if Path(entry).name.endswith("-packages")]
    hidden = [p / "tinytorch" for p in packages if (p / "tinytorch").is_dir()]
    inside = [root for root in (*roots, Path("/usr")) if project.root.is_relative_to(root)]
    if inside:
        raise CourseError(
            f"The course lies in {inside[0]}, which submissions may read while they are graded. "
            "Move it to a folder of its own."
        )
    return {"readable": [str(p) for p in readable], "hidden": [str(p) for p in hidden]}
