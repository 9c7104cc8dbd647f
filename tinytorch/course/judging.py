"""Grades one notebook in a judge: what the course's other parts call.

The judge's verdicts are believed, and nothing else: a test cell begins as "did not run", and only
a verdict changes that. How the judge comes to them is in judge.py.
"""

import ast
import time
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output
from nbgrader import utils

from tinytorch.course.isolation import (
    is_hidden,
    is_test,
    is_ungraded,
    named_cells,
    ungraded_definitions,
)
from tinytorch.course.lesson import tested_answer
from tinytorch.course.nurseries import GraderFault, Line

__all__ = ["GraderFault", "Judged", "Limits", "answers_of", "judge_notebook"]


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
    nursery: Line,
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
                    "hidden": is_hidden(cell),
                }
            )
    budget = {"wall": limits.wall, "call": limits.call, "cpu": limits.cpu}
    most = {"memory": limits.memory, "tasks": limits.tasks}
    return {"cells": cells, "budget": budget, "most": most}
