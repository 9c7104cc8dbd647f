"""What a merged record leaves in `autograded`: the executed notebook and what goes with it.

formgrader and the feedback read these; whether and when they are written is decided by
gradebook.py. Also makes the notebook that stands for a submission that was refused.
"""

import hashlib
import json
import os
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader import utils

from tinytorch.course import seeds
from tinytorch.course.project import Project
from tinytorch.course.records import Record, sweep, write_durably
from tinytorch.course.reference import ReleasedCell


@dataclass(frozen=True)
class Executed:
    """A graded notebook: its text as it is shown, and of its cells those that are no tests."""

    text: str
    answers: dict[str, NotebookNode]  # by name: answers, and other cells that a person grades

    def digests(self) -> dict[str, str]:
        """Return the digest of each answer's text, as KeepReading keeps it."""
        return {
            name: hashlib.sha256(cell.source.encode()).hexdigest()
            for name, cell in self.answers.items()
            if utils.is_solution(cell)
        }


@dataclass(frozen=True)
class Placed:
    """One student's files: the record that they come from, and its notebook."""

    record: Record
    notebook: str
    text: str
    digests: dict[str, str]


def executed_of(record: Record, released: dict[str, ReleasedCell]) -> Executed:
    """Return a record's notebook, its cells marked as the gradebook has them.

    By the JSON alone: nbformat's objects and checks would cost more than all the rest of a merge.
    """
    if not record.get("executed"):
        return Executed(nbformat.writes(_in_its_place(record, released)), {})
    content, changed = json.loads(record["executed"]), False
    answers: dict[str, NotebookNode] = {}
    for cell in content["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if not name:
            continue
        marks = released[name].nbgrader_metadata() if name in released else {}
        changed = changed or cell["metadata"]["nbgrader"] != marks
        cell["metadata"]["nbgrader"] = marks
        if name in released and not is_test_cell(released[name]):
            metadata = NotebookNode(nbgrader=NotebookNode(marks))
            source = "".join(cell["source"])
            kind = cell["cell_type"]
            answers[name] = NotebookNode(source=source, cell_type=kind, metadata=metadata)
    return Executed(json.dumps(content) if changed else record["executed"], answers)


def is_test_cell(cell: ReleasedCell) -> bool:
    """Say whether a cell is scored by running it."""
    return cell.cell_type == "code" and cell.points is not None and not (cell.solution or cell.task)


def _in_its_place(record: Record, released: dict[str, ReleasedCell]) -> NotebookNode:
    """Return the release with the reason on top, for a submission that could not be opened."""
    notice = f"**This submission was not graded and counts as zero.** {record['reason']}"
    cells = [new_markdown_cell(notice, id="refused")]
    for name, cell in released.items():
        metadata = {"nbgrader": cell.nbgrader_metadata()}
        if cell.cell_type != "code":
            cells.append(new_markdown_cell(cell.source, metadata=metadata, id=name[:64]))
            continue
        cells.append(new_code_cell(cell.source, metadata=metadata, id=name[:64]))
        if cell.points is not None and not cell.solution:
            said = f"the submission was refused: {record['reason']}"
            cells[-1].outputs = [new_output(
                "error", ename="DidNotRun", evalue=said, traceback=[f"DidNotRun: {said}"]
            )]  # fmt: skip
    return new_notebook(cells=cells)


def former_texts(project: Project, assignment: str, notebook: str, student: str) -> dict[str, str]:
    """Return the digests of the answers that the instructor has read; KeepReading writes them."""
    path = project.autograded / student / f"{assignment}.{notebook}.read.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def place(project: Project, placed: Placed) -> None:
    """Write one student's files, each whole or not at all."""
    record, home = placed.record, project.autograded / placed.record["student"]
    folder = home / record["assignment"]
    for parent in (home, folder):
        sweep(parent)
    path = folder / f"{placed.notebook}.ipynb"
    write_durably(path, f"{placed.text.rstrip()}\n".encode())
    stamp = folder / "timestamp.txt"
    if record.get("timestamp"):
        write_durably(stamp, record["timestamp"].encode())
    else:
        stamp.unlink(missing_ok=True)
    if record.get("read_at"):  # whatever is handed in after that is newer than this grading
        os.utime(path, (record["read_at"], record["read_at"]))
    texts = json.dumps(placed.digests, indent=1).encode()
    write_durably(home / f"{record['assignment']}.{placed.notebook}.read.json", texts)
    seeds.record(project, record["assignment"], record["student"], record["seed"])
