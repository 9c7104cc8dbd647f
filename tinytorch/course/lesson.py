"""Reads a lesson's .py (py:percent), checks what nbgrader needs of it, makes the notebook's text.

Nothing is written or executed here. What a student may not see is cut out by nbgrader (release.py).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytorch.course.project import CourseError

if TYPE_CHECKING:
    from nbformat import NotebookNode

FORMAT = "py:percent"
SOLUTION = ("### BEGIN SOLUTION", "### END SOLUTION")
HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
SCHEMA_VERSION = 3
Problem = tuple[int, str]  # line of the .py, sentence

_NEEDED = ("grade", "grade_id", "locked", "schema_version", "solution", "task")
_MARKER = re.compile(r"^#[ \t]*%%+(?=\s|$)", re.MULTILINE)
_SHOWN = 8


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson with the line of its marker in the .py (1 is the first)."""

    node: "NotebookNode"
    line: int
    marker: str

    @property
    def source(self) -> str:
        """What stands in the cell."""
        return str(self.node.source)

    @property
    def is_code(self) -> bool:
        """Whether the cell is code, not text."""
        return bool(self.node.cell_type == "code")

    @property
    def meta(self) -> dict[str, Any]:
        """nbgrader's metadata; empty for a cell that nbgrader does not know."""
        found = self.node.metadata.get("nbgrader")
        return dict(found) if isinstance(found, dict) else {}

    @property
    def grade_id(self) -> str:
        """nbgrader's name of the cell, or an empty string."""
        return str(self.meta.get("grade_id", ""))

    @property
    def is_answer(self) -> bool:
        """Whether students write this code cell."""
        return self.is_code and bool(self.meta.get("solution"))

    @property
    def is_test(self) -> bool:
        """Whether this code cell is graded automatically."""
        return self.is_code and bool(self.meta.get("grade")) and not self.meta.get("solution")

    def at(self, problem: str) -> Problem:
        """Return the problem with this cell's line."""
        return self.line, problem


def read_lesson(script: Path) -> "NotebookNode":
    """Return the checked lesson as a notebook with stable cell ids and no outputs.

    Raises CourseError that names the file and every line at fault.
    """
    text = _text(script)
    notebook = parse(text, script)
    problems = list(_problems(text, notebook))
    if problems:
        shown = [f"  {script}:{line}: {what}" for line, what in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            shown.append(f"  and {len(problems) - _SHOWN} more")
        raise CourseError("\n".join(["This lesson cannot be built:", *shown]))
    _name_cells(notebook)
    return notebook


def parse(text: str, script: Path) -> "NotebookNode":
    """Return py:percent text as a notebook, by the pairing rules beside the lessons."""
    import jupytext

    pairing = _pairing(script)
    try:
        return jupytext.reads(text, fmt=FORMAT, config=pairing)
    except Exception as error:
        raise CourseError(
            f"{script} is not a lesson that jupytext can read ({error}). "
            "Look at its YAML header and at the `# %%` lines."
        ) from error


def notebook_text(notebook: "NotebookNode", script: Path) -> str:
    """Return the .ipynb text of a lesson: no outputs, trailing newline."""
    import jupytext

    text = jupytext.writes(notebook, fmt="ipynb", config=_pairing(script))
    return text.rstrip("\n") + "\n"


def script_text(notebook: "NotebookNode", script: Path) -> str:
    """Return a notebook as py:percent text, by the pairing rules that hold for `script`."""
    import jupytext

    return str(jupytext.writes(notebook, fmt=FORMAT, config=_pairing(script)))


def regions(source: str, markers: tuple[str, str]) -> tuple[list[str], str]:
    """Split a cell's source into the text of its marked regions and the text around them.

    Raises ValueError if a marker is missing, nested or misspelt.
    """
    begin, end = markers
    words = tuple(marker.removeprefix("### ") for marker in markers)
    inside: list[list[str]] = []
    outside: list[str] = []
    is_open = False
    for line in source.split("\n"):
        if any(word in line for word in words):
            wanted = end if is_open else begin
            if line.strip() != wanted:
                raise ValueError(f"{line.strip()!r} stands where {wanted!r} is due")
            is_open = not is_open
            if is_open:
                inside.append([])
        elif is_open:
            inside[-1].append(line)
        else:
            outside.append(line)
    if is_open:
        raise ValueError(f"{begin!r} has no {end!r} after it in its cell")
    return ["\n".join(lines) for lines in inside], "\n".join(outside)


def _text(script: Path) -> str:
    try:
        return script.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{script} cannot be read as UTF-8 text: {error}.") from error


def _pairing(script: Path) -> Any:
    """jupytext's settings for `script`: the jupytext.toml in its folder or above."""
    from jupytext.config import JupytextConfigurationError, load_jupytext_config

    try:
        pairing = load_jupytext_config(str(script))
    except JupytextConfigurationError as error:
        raise CourseError(f"jupytext.toml cannot be used: {error}.") from error
    if pairing is None:
        raise CourseError(
            f"There is no jupytext.toml above {script}: without it a lesson and its notebook "
            "lose nbgrader's metadata. It belongs in modules/source."
        )
    return pairing


def numbered_cells(notebook: "NotebookNode", script: Path) -> list[Cell]:
    """Return a lesson's cells with their lines in the .py; none if the two do not fit together."""
    markers = _markers(_text(script))
    if len(markers) != len(notebook.cells):
        return []
    return [Cell(node, *at) for node, at in zip(notebook.cells, markers, strict=True)]


def _markers(text: str) -> list[tuple[int, str]]:
    """Line and text of every `# %%` line."""
    return [
        (text.count("\n", 0, found.start()) + 1, text[found.start() :].split("\n", 1)[0])
        for found in _MARKER.finditer(text)
    ]


def _problems(text: str, notebook: "NotebookNode") -> Iterator[Problem]:
    markers = _markers(text)
    if len(markers) != len(notebook.cells):
        counts = f"{len(markers)} `# %%` lines but {len(notebook.cells)} cells"
        yield 1, f"{counts}: text before the first `# %%` line needs a cell of its own."
        return
    cells = [Cell(node, *at) for node, at in zip(notebook.cells, markers, strict=True)]
    for cell in cells:
        yield from _cell_problems(cell)
    yield from _id_problems(cells)


def _cell_problems(cell: Cell) -> Iterator[Problem]:
    if cell.is_code:
        yield from _syntax_problems(cell)
    if "nbgrader" in cell.marker and not cell.meta:
        yield cell.at("the nbgrader metadata of this `# %%` line is not a JSON object.")
    if cell.meta:
        yield from _metadata_problems(cell)
    yield from _marker_problems(cell)


def _syntax_problems(cell: Cell) -> Iterator[Problem]:
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        ast.parse(TransformerManager().transform_cell(cell.source))
    except SyntaxError as error:
        line = cell.line + (error.lineno or 0)
        yield line, f"{_name(cell)} is not valid Python: {error.msg}."


def _metadata_problems(cell: Cell) -> Iterator[Problem]:
    missing = [key for key in _NEEDED if key not in cell.meta]
    if cell.meta.get("grade") and "points" not in cell.meta:
        missing.append("points")
    if missing:
        yield cell.at(f"{_name(cell)} lacks {', '.join(missing)} in its nbgrader metadata.")
        return
    if cell.meta["schema_version"] != SCHEMA_VERSION:
        yield cell.at(f"{_name(cell)} needs schema_version {SCHEMA_VERSION}.")
    for key in ("grade", "locked", "solution", "task"):
        if not isinstance(cell.meta[key], bool):
            yield cell.at(f"{_name(cell)} has {key} {cell.meta[key]!r}; it needs true or false.")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", cell.grade_id):
        yield cell.at(
            f"grade_id {cell.grade_id!r} needs 1 to 64 letters, digits, hyphens or underscores."
        )
    points = cell.meta.get("points", 0)
    if not isinstance(points, int | float) or isinstance(points, bool) or points < 0:
        yield cell.at(f"{_name(cell)} has points {points!r}; it needs a number, 0 or more.")
    if not cell.is_code and cell.meta["grade"] != cell.meta["solution"]:
        yield cell.at(f"{_name(cell)} is text: it needs grade and solution both true or false.")


def _marker_problems(cell: Cell) -> Iterator[Problem]:
    try:
        solutions, _ = regions(cell.source, SOLUTION)
        hidden, around = regions(cell.source, HIDDEN)
    except ValueError as error:
        yield cell.at(f"{_name(cell)}: {error}.")
        return
    if cell.is_answer and not solutions:
        yield cell.at(
            f"answer cell {cell.grade_id!r} has no {SOLUTION[0]!r} and {SOLUTION[1]!r}: "
            "put them around what students are to write."
        )
    if solutions and not cell.meta.get("solution"):
        yield cell.at(f'{_name(cell)} holds a solution: it needs "solution": true.')
    if hidden and not (cell.is_test and "_hidden" in cell.grade_id):
        yield cell.at(
            f"{_name(cell)} holds hidden tests: they need a graded cell of their own, "
            "test_<name>_hidden."
        )
    if "_hidden" in cell.grade_id and cell.is_test and not hidden:
        yield cell.at(f"{cell.grade_id!r} has no {HIDDEN[0]!r}: its tests would be released.")
    if hidden and any(line.strip()[:1] not in ("", "#") for line in around.split("\n")):
        yield cell.at(
            f"{cell.grade_id!r} has code outside {HIDDEN[0]!r} and {HIDDEN[1]!r}: it would be "
            "released. Only comments may stand there."
        )


def _id_problems(cells: list[Cell]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for cell in cells:
        if cell.grade_id and first.setdefault(cell.grade_id, cell.line) != cell.line:
            yield cell.at(f"grade_id {cell.grade_id!r} is taken by line {first[cell.grade_id]}.")
    answers = {cell.grade_id for cell in cells if cell.is_answer}
    for cell in cells:
        if cell.is_answer and not _defines(cell):
            yield cell.at(
                f"answer cell {cell.grade_id!r} defines no {cell.grade_id!r}: "
                "its grade_id is the name that it defines."
            )
        if cell.is_test and tested_answer(cell.grade_id) not in answers:
            yield cell.at(
                f"test cell {cell.grade_id!r} tests no answer: it needs the grade_id "
                "test_<name> or test_<name>_hidden..., and an answer cell <name>."
            )


def _defines(cell: Cell) -> bool:
    """Whether a top-level def, class or assignment makes the name (unreadable code: yes)."""
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:
        return True
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return cell.grade_id in names


def tested_answer(grade_id: str) -> str | None:
    """Return the answer that a test cell's grade_id names; None if it names none."""
    name = grade_id.split("_hidden", 1)[0]
    return name.removeprefix("test_") if name.startswith("test_") else None


def _name(cell: Cell) -> str:
    return f"cell {cell.grade_id!r}" if cell.grade_id else "this cell"


def _name_cells(notebook: "NotebookNode") -> None:
    """Give every cell an id that only its own content decides, so that rebuilding changes nothing.

    nbdev writes the ids into the exported module: random ones would change it at every build.
    """
    graded = [node.metadata.get("nbgrader", {}).get("grade_id") for node in notebook.cells]
    taken = {grade_id for grade_id in graded if grade_id}
    for node, grade_id in zip(notebook.cells, graded, strict=True):
        if grade_id:
            node.id = grade_id
            continue
        slug = _slug(node.source)
        number = 1
        while (name := slug if number == 1 else f"{slug}-{number}") in taken:
            number += 1
        taken.add(name)
        node.id = name


def _slug(source: str) -> str:
    """The first words of a cell, in the letters that a cell id may have."""
    for line in source.split("\n"):
        words = re.findall(r"[a-z0-9_]+", line.lower())
        if words:
            return "-".join(words)[:40].rstrip("-")
    return "cell"
