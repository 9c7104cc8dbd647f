"""Tries answers by judges in sandboxes: whether these score as one process does.

Each try is a notebook of the reference with the answer in its place, and the answer's own tests.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import nbformat
from nbformat import NotebookNode

from tinytorch.course.isolation import is_test, named_cells, read_source
from tinytorch.course.judging import judge_notebook
from tinytorch.course.lesson import tested_answer
from tinytorch.course.nurseries import nursery_of
from tinytorch.course.project import Project
from tinytorch.course.terminal import Progress
from tinytorch.course.trial import Outcome, Tried, Try
from tinytorch.lab.facts import cores


def run_judged_trials(
    project: Project,
    assignment: str,
    tries: Sequence[Try],
    workers: int | None = None,
    seed: int | None = None,
    on_progress: Progress | None = None,
) -> list[Tried]:
    """Judge every try, several at a time; the results are in the order of `tries`."""
    source = read_source(project, assignment)
    nursery = nursery_of(project, source)

    def judge(one: Try) -> Tried:
        notebook = _notebook(source, one)
        judged = judge_notebook(notebook, source, nursery, seed or 0)
        tests = {
            name: _outcome(name, cell, judged.states[name])
            for name, cell in named_cells(notebook).items()
            if name in judged.states
        }
        return Tried(one.name, tests, (), judged.seconds["all"])

    tried = []
    with ThreadPoolExecutor(workers or cores()) as pool:
        for done, result in enumerate(pool.map(judge, tries), start=1):
            tried.append(result)
            if on_progress:
                on_progress(done, len(tries), result.name)
    return tried


def _notebook(source: NotebookNode, one: Try) -> NotebookNode:
    notebook = deepcopy(source)
    cells = []
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if is_test(cell) and tested_answer(name) != one.answer:
            continue
        if name == one.answer:
            cells += [nbformat.v4.new_code_cell(text) for text in one.before]
            cell.source = one.source
        cells.append(cell)
        if name == one.answer:
            cells += [nbformat.v4.new_code_cell(text) for text in one.after]
    notebook.cells = cells
    return notebook


def _outcome(name: str, cell: NotebookNode, state: str) -> Outcome:
    errors = [output for output in cell.outputs if output.output_type == "error"]
    said = (errors[-1].ename, errors[-1].evalue) if errors else ("", "")
    return Outcome(name, "died" if state == "not run" else state, *said)
