"""Refuses test cells that cannot be judged: those that need the answer in their own process.

Tests run in a judge's process. There, what an answer cell defines is a stand-in whose calls go to
the student's process as data. A test that looks at more than what calls take and give back would
be wrong without a word, so it is found here, when the lesson is built. Nothing is run.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinytorch.course import lint_rules
from tinytorch.course.lesson import Cell, numbered_cells
from tinytorch.course.lint_names import CONSTANT, Names, definitions, imports
from tinytorch.course.lint_words import MAGIC, SYNTAX, Words
from tinytorch.course.project import CourseError

if TYPE_CHECKING:
    from nbformat import NotebookNode

ALLOW = "# tito: allow"  # at the end of a line that is right as it stands
_SHOWN = 8


@dataclass(frozen=True)
class Finding:
    """One line that cannot be judged.

    line: of the lesson's .py, None where it cannot be told. cell_line: in the cell, 1 the first.
    """

    grade_id: str
    line: int | None
    cell_line: int
    what: str
    instead: str

    def __str__(self) -> str:
        at = f"line {self.line}" if self.line else f"line {self.cell_line} of the cell"
        return f"{self.grade_id or 'a locked cell'}, {at}: {self.what}. Instead: {self.instead}."


def refuse_tests(notebook: "NotebookNode", script: Path) -> None:
    """Raise CourseError with all findings, each with its line and what to write instead."""
    found = check_tests(notebook, script)
    if not found:
        return
    shown = [f"  {finding}" for finding in found[:_SHOWN]]
    if len(found) > _SHOWN:
        shown.append(f"  and {len(found) - _SHOWN} more")
    raise CourseError(
        "\n".join(
            [
                f"{script} has tests that cannot be judged: answers run in a process of their own, "
                "and only calls and data cross.",
                *shown,
                f"A line that is right as it stands may end in `{ALLOW}`.",
            ]
        )
    )


def check_tests(notebook: "NotebookNode", script: Path | None = None) -> list[Finding]:
    """Return what cannot be judged in the lesson's test cells and locked setup cells.

    script: the lesson's .py, for the lines. Findings come in the order of the cells and lines.
    """
    cells = _cells(notebook, script)
    judged = [cell for cell in cells if _is_judged(cell)]
    context = _context(cells, judged)
    return [finding for cell in judged for finding in _findings(cell, context)]


def _context(cells: list[Cell], judged: list[Cell]) -> lint_rules.Context:
    imported: dict[str, str] = {}
    answers: dict[str, str] = {}
    others: set[str] = set()
    for cell in cells:
        if cell.is_answer:
            answers |= definitions(cell.source)
        elif cell in judged:
            imported |= {} if cell.is_test else imports(_tree(cell) or ast.Module([], []))
        elif cell.is_code:
            others |= set(definitions(cell.source))
    given = {name for cell in judged for name in definitions(cell.source)}
    values = {name for name, kind in answers.items() if kind == CONSTANT}
    return lint_rules.Context(imported, answers, values - given, others - given - set(answers))


def _findings(cell: Cell, context: lint_rules.Context) -> Iterator[Finding]:
    lines = cell.source.split("\n")
    found: dict[tuple[int, str], Words] = {}
    for line, what, words in sorted(_faults(cell, context), key=lambda fault: fault[0]):
        if not lines[min(line, len(lines)) - 1].rstrip().endswith(ALLOW):
            found.setdefault((line, words.what.format(what)), words)
    for (line, text), words in found.items():
        yield Finding(
            cell.grade_id, cell.line + line if cell.line else None, line, text, words.instead
        )


def _faults(cell: Cell, context: lint_rules.Context) -> Iterator[lint_rules.Fault]:
    commands = list(_commands(cell.source))
    yield from ((line, "", MAGIC) for line in commands)
    tree = _tree(cell)
    if tree is None:
        if not commands:
            yield 1, "it cannot be read as Python", SYNTAX
        return
    names = Names(tree, context.imported | imports(tree), context.answers)
    if cell.is_test:
        yield from lint_rules.test_faults(names, context)
    else:
        yield from lint_rules.setup_faults(names, exported="#| export" in cell.source)


def _is_judged(cell: Cell) -> bool:
    locked = cell.meta.get("locked") and not cell.meta.get("solution")
    return cell.is_test or (cell.is_code and bool(locked))


def _cells(notebook: "NotebookNode", script: Path | None) -> list[Cell]:
    if script is not None and (cells := numbered_cells(notebook, script)):
        return cells
    return [Cell(node, 0, "") for node in notebook.cells]


def _tree(cell: Cell) -> ast.Module | None:
    try:
        return ast.parse(cell.source)
    except (SyntaxError, ValueError):
        return None


def _commands(source: str) -> Iterator[int]:
    """Lines that only IPython understands: %magic, !shell, help?, get_ipython()."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "get_ipython":
            yield node.lineno
