"""A made-up lesson with two answers, to try right and wrong answers on."""

from pathlib import Path

import nbformat

from tinytorch.course.lesson import read_lesson
from tinytorch.course.project import Project

A = "01_double"
_META = (
    '{{"grade": {grade}, "grade_id": "{name}", "locked": {locked}, {points}'
    '"schema_version": 3, "solution": {solution}, "task": false}}'
)


def _cell(name: str, source: str, points: int | None = None, solution: bool = False) -> str:
    meta = _META.format(
        name=name,
        grade=str(points is not None).lower(),
        locked=str(not solution).lower(),
        points="" if points is None else f'"points": {points}, ',
        solution=str(solution).lower(),
    )
    if "_hidden" in name:
        source = f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"
    return f"# %% nbgrader={meta}\n{source}\n"


def _answer(name: str, factor: int) -> str:
    body = f"    ### BEGIN SOLUTION\n    return {factor} * x\n    ### END SOLUTION"
    return _cell(name, f"def {name}(x):\n{body}", solution=True)


_EXPERIMENT = """\
# %% tags=["ungraded"]
def from_the_experiment(x):
    return x

raise RuntimeError("an experiment that is run")
"""

CELLS = [
    _cell("setup", "import os\nsteps = []\ndef negative(x):\n    return -x\n"),
    _EXPERIMENT,
    _answer("double", 2),
    _cell("test_double", "assert double(2) == 4, 'two doubled is not four: is x added once?'", 1),
    _cell(
        "test_double_hidden_values",
        "for x in (-3, 0, 7):\n"
        "    assert double(x) == 2 * x, f'{x} doubled came back as something else'",
        2,
    ),
    _cell("test_double_hidden_errors", "assert double('a') == 'aa'", 3),
    _answer("triple", 3),
    _cell(
        "test_triple",
        "assert triple(negative(2)) == -6, 'minus two tripled is minus six, whoever asks'",
        4,
    ),
]


def write_lesson(project: Project, cells: list[str] = CELLS) -> None:
    """Write the lesson into a tiny course, with its notebook."""
    script = project.script(A)
    text = script.read_text(encoding="utf-8")
    header = text[: text.index("# %%")]
    script.write_text(header + "\n".join(cells), encoding="utf-8")
    nbformat.write(read_lesson(script), project.notebook(A))


def write_entry(folder: Path, answer: str, slug: str, text: str) -> Path:
    """Write one entry of a corpus."""
    path = folder / answer / f"{slug}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
