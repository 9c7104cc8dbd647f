"""Reads the hostile corpus: submissions with wrong answers and one attack on the grader each.

An entry is <folder>/<slug>.py, a file of answers (see submissions.py) with a longer head:

    # base: garbage
    # One line about the attack.
    # class: transformers
    # gains: what it would get
    # ends: graded
    # safe_in_process: yes

    # %% after setup_imports
    ...

`base` is "garbage" (the answers of _garbage.py beside it) or "stubs". `ends` names the states that
its record may have, and after a comma those of which a test cell must show one ("died", "hung").
`safe_in_process` says whether it may run without a sandbox. Of the cells, `# %% <grade_id>` is an
answer; the others are begun by a verb (VERBS), so that an entry may add, copy, delete and edit any
cell. `# %% build <name>` leaves the making of the handed-in folder to a function of the tests.
Nothing here runs what an entry holds, and nothing here grades.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tinytorch.course.isolation import named_cells
from tinytorch.course.project import CourseError, Project
from tinytorch.course.submissions import read_answers, submission

HEAD = ("base", "about", "class", "gains", "ends", "safe_in_process")
STATES = ("graded", "refused", "timeout")
CELL_STATES = ("failed", "died", "hung", "not run")
GARBAGE = "_garbage.py"
# verb -> whether a name follows it.
VERBS = {
    "first": False,  # an extra cell of the student's before all others
    "last": False,
    "before": True,
    "after": True,
    "replace": True,  # the source of a cell, locked or not
    "copy": True,  # the cell again, right behind itself; with another source if there is one
    "delete": True,
    "cell-metadata": True,  # JSON, merged into a cell's metadata
    "cell": True,  # JSON, merged into the cell itself
    "notebook-metadata": False,
    "file": True,  # a file handed in beside the notebook
    "use": True,  # the cell _<name>.py of the corpus, behind the lesson's setup
    "build": True,
}
SETUP = "setup_checks"
_MARKER = re.compile(r"^# %% (?P<words>\S.*?)[ \t]*$", re.MULTILINE)
_HEAD_LINE = re.compile(r"# (?P<key>[a-z_]+): (?P<text>\S.*)")


@dataclass(frozen=True)
class Edit:
    """One change of the handed-in notebook: a verb of VERBS, the cell it is about, its text."""

    verb: str
    name: str
    text: str


@dataclass(frozen=True)
class Attack:
    """One entry. `states`, `cells`: how it may end; `safe`: may run without a sandbox."""

    path: Path
    base: str
    about: str
    kind: str
    gains: str
    states: tuple[str, ...]
    cells: tuple[str, ...]
    safe: bool
    answers: dict[str, str]
    edits: tuple[Edit, ...]

    @property
    def slug(self) -> str:
        """The entry's name."""
        return self.path.stem

    @property
    def builders(self) -> list[Edit]:
        """The edits that a function of the tests makes."""
        return [edit for edit in self.edits if edit.verb == "build"]


def hostile_folder(project: Project) -> Path:
    """Return where the course keeps its hostile corpus."""
    return project.root / "tests" / "submissions" / "hostile"


def read_attacks(folder: Path) -> list[Attack]:
    """Read every entry of a folder, sorted by slug; CourseError that names what is malformed."""
    attacks = [read_attack(path) for path in sorted(folder.glob("[!_]*.py"))]
    if not attacks:
        raise CourseError(f"{folder} holds no entries: expected <slug>.py files.")
    return attacks


def read_attack(path: Path) -> Attack:
    """Read one entry; CourseError that names the file and what is wrong with it."""
    text = path.read_text(encoding="utf-8")
    markers = list(_MARKER.finditer(text))
    head = _read_head(path, text[: markers[0].start()] if markers else text)
    answers: dict[str, str] = {}
    edits: list[Edit] = []
    ends = [*(marker.start() for marker in markers), len(text)][1:]
    for marker, end in zip(markers, ends, strict=False):
        verb, _, name = marker["words"].partition(" ")
        body = text[marker.end() : end].strip("\n")
        if verb in VERBS:
            if bool(name) != VERBS[verb]:
                raise CourseError(f"{path}: `{marker[0]}`: a name must follow only where one fits.")
            edits.append(Edit(verb, name, body))
        elif name or verb in answers:
            raise CourseError(f"{path}: `{marker[0]}` is no verb and no (new) grade_id.")
        else:
            answers[verb] = body
    if not answers and not edits:
        raise CourseError(f"{path} attacks nothing: it has no cells.")
    states, _, cells = head["ends"].partition(",")
    return Attack(
        path, head["base"], head["about"], head["class"], head["gains"],
        _words(path, states, STATES), _words(path, cells, CELL_STATES) if cells else (),
        head["safe_in_process"] == "yes", answers, tuple(edits),
    )  # fmt: skip


def _read_head(path: Path, text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) != len(HEAD) or not lines[1].startswith("# "):
        raise CourseError(f"{path} must begin with one comment each for {', '.join(HEAD)}.")
    found = {"about": lines[1].removeprefix("# ")}
    for key, line in zip(HEAD, lines, strict=True):
        match = _HEAD_LINE.fullmatch(line.rstrip())
        if key != "about":
            if match is None or match["key"] != key:
                raise CourseError(f"{path}: {line!r} should be `# {key}: ...`.")
            found[key] = match["text"]
    if found["base"] not in ("garbage", "stubs"):
        raise CourseError(f"{path}: the base is garbage or stubs, not {found['base']!r}.")
    if found["safe_in_process"] not in ("yes", "no"):
        raise CourseError(f"{path}: safe_in_process is yes or no.")
    return found


def _words(path: Path, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split("|"))
    for word in words:
        if word not in known:
            raise CourseError(f"{path}: {word!r} is none of {', '.join(known)}.")
    return words


def hand_in_attack(
    project: Project,
    assignment: str,
    attack: Attack,
    student: str,
    builders: Mapping[str, Callable[[Path, bytes], None]],
) -> Path:
    """Write an entry into `submitted` as one student's folder; return the folder.

    builders: makes what no notebook can hold, by the name behind `build`, each called with the
    notebook's path and the bytes that would have been written there.
    """
    name = project.notebook(assignment).name
    notebook = attack_notebook(project.release / assignment / name, attack)
    folder = project.submitted / student / assignment
    folder.mkdir(parents=True)
    for edit in attack.edits:
        if edit.verb == "file":
            path = folder / edit.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(edit.text + "\n", encoding="utf-8")
    content = json.dumps(notebook, indent=1).encode("utf-8")
    if not attack.builders:
        (folder / name).write_bytes(content)
    for edit in attack.builders:
        builders[edit.name](folder / name, content)
    return folder


def attack_notebook(released_notebook: Path, attack: Attack) -> NotebookNode:
    """Return the notebook that an entry hands in."""
    answers = dict(attack.answers)
    if attack.base == "garbage":
        answers = read_answers(attack.path.with_name(GARBAGE)).answers | answers
    notebook = submission(released_notebook, answers)
    # What is used goes in last, and so stands in front of what uses it.
    for edit in sorted(attack.edits, key=lambda edit: edit.verb == "use"):
        if edit.verb not in ("file", "build"):
            _apply(notebook, edit, attack.path)
    return notebook


def _apply(notebook: NotebookNode, edit: Edit, path: Path) -> None:
    if edit.verb == "notebook-metadata":
        notebook.metadata.update(nbformat.from_dict(json.loads(edit.text)))
    elif edit.verb == "use":
        text = path.with_name(f"_{edit.name}.py").read_text(encoding="utf-8")
        _apply(notebook, Edit("after", SETUP, text), path)
    elif edit.verb in ("first", "last"):
        place = 0 if edit.verb == "first" else len(notebook.cells)
        notebook.cells.insert(place, new_code_cell(edit.text))
    else:
        cells = named_cells(notebook)
        if edit.name not in cells:
            raise CourseError(f"{path}: the release has no cell {edit.name!r} to {edit.verb}.")
        _edit_cell(notebook, cells[edit.name], edit)


def _edit_cell(notebook: NotebookNode, cell: NotebookNode, edit: Edit) -> None:
    place = next(i for i, other in enumerate(notebook.cells) if other is cell)
    if edit.verb in ("before", "after"):
        notebook.cells.insert(place + (edit.verb == "after"), new_code_cell(edit.text))
    elif edit.verb == "replace":
        cell.source = edit.text
    elif edit.verb == "delete":
        del notebook.cells[place]
    elif edit.verb == "copy":
        again = nbformat.from_dict(cell)
        again.source = edit.text or cell.source
        notebook.cells.insert(place + 1, again)
    else:
        changes: dict[str, Any] = json.loads(edit.text)
        target = cell if edit.verb == "cell" else cell.metadata
        merge(target, changes)


def merge(target: Any, changes: dict[str, Any]) -> None:
    """Change nested dicts in place; None deletes a key."""
    for key, value in changes.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = nbformat.from_dict(value) if isinstance(value, dict) else value
