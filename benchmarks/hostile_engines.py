"""Scores one hostile submission with one engine, in a process that an attack may end.

    python -m benchmarks.hostile_engines <course folder> <student> <engine>

Engines: "judged" (tinytorch.course.task), "one kernel" (IsolatedExecute, code and tests together)
and "plain" (nbgrader's own OverwriteCells and Execute). Prints one line of JSON, last: the points,
or why there are none. KEEP names a file for the executed notebook.
"""

import json
import logging
import os
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    Execute,
    OverwriteCells,
    OverwriteKernelspec,
)

from tinytorch.course.clean import clean_copy
from tinytorch.course.isolation import (
    IsolatedExecute,
    is_test,
    is_ungraded,
    named_cells,
    read_source,
    ungraded_definitions,
)
from tinytorch.course.project import Project
from tinytorch.course.reference import released_cells

ASSIGNMENT = "11_kernels"
SECONDS = 5  # a cell
_STOCK = (ClearOutput, DeduplicateIds, OverwriteKernelspec, OverwriteCells, CheckCellMetadata)


def one_kernel(project: Project, folder: Path) -> NotebookNode:
    """Run a submission as IsolatedExecute does, as a clean copy."""
    notebook = _read(project, folder)
    name = project.notebook(ASSIGNMENT).stem
    released = released_cells(project.gradebook_url, ASSIGNMENT, name)
    notebook, _ = clean_copy(notebook, read_source(project, ASSIGNMENT), released)
    execute = IsolatedExecute(config=project.nbgrader_config(), seed=0, timeout=SECONDS)
    execute.project = project
    facts = {"nbgrader": {"assignment": ASSIGNMENT}, "metadata": {"path": str(folder)}}
    execute.preprocess(notebook, facts)
    return notebook


def plain(project: Project, folder: Path) -> NotebookNode:
    """Run a submission as nbgrader does by itself; only the lesson's experiments are left out."""
    notebook = _read(project, folder)
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_ungraded(cell):
            cell.source = ungraded_definitions(cell.source)
    config = project.nbgrader_config()
    facts = {
        "nbgrader": {
            "assignment": ASSIGNMENT,
            "notebook": project.notebook(ASSIGNMENT).stem,
            "student": folder.parent.name,
            "db_url": project.gradebook_url,
        },
        "metadata": {"path": str(folder)},
    }
    os.environ["NBGRADER_EXECUTION"] = "autograde"  # as nbgrader's own converters set it
    for step in _STOCK:
        notebook, facts = step(config=config).preprocess(notebook, facts)
    execute = Execute(config=config, timeout=SECONDS)
    execute.preprocess(notebook, facts)
    return notebook


def points(project: Project, notebook: NotebookNode) -> float:
    """The points of the test cells that the release knows, as nbgrader scores them."""
    name = project.notebook(ASSIGNMENT).stem
    released = released_cells(project.gradebook_url, ASSIGNMENT, name)
    tests = {n for n, cell in released.items() if cell.points is not None and not cell.solution}
    cells = {n: cell for n, cell in named_cells(notebook).items() if n in tests and is_test(cell)}
    return sum(
        utils.determine_grade(cell, logging.getLogger())[0] or 0.0 for cell in cells.values()
    )


def _read(project: Project, folder: Path) -> NotebookNode:
    return nbformat.read(folder / project.notebook(ASSIGNMENT).name, as_version=4)


def judged(project: Project, folder: Path) -> dict[str, object]:
    """What the sandboxed grading says of a submission."""
    from tests import hostile_runs

    record = hostile_runs.graded(project, folder.parent.name, hostile_runs.LIMITS)
    if record["state"] == "infrastructure":
        return {"points": None, "why": record["reason"]}
    return {"points": sum(score for score, _ in record["scores"].values()), "why": record["state"]}


def main() -> None:
    """Score the submission named on the command line."""
    root, student, engine = sys.argv[1:]
    project = Project(Path(root))
    folder = project.submitted / student / ASSIGNMENT
    try:
        if engine == "judged":
            said = judged(project, folder)
        else:
            notebook = {"one kernel": one_kernel, "plain": plain}[engine](project, folder)
            said = {"points": points(project, notebook), "why": ""}
            if kept := os.environ.get("KEEP"):
                nbformat.write(notebook, kept)
    except Exception as error:  # whatever an attack made of it is this engine's result
        said = {"points": None, "why": f"{type(error).__name__}: {error}"[:200]}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
