"""Reads the corpus: one file per answer that a student might write, and what it must lose.

An entry is <corpus>/<answer>/<slug>.py, a file such as

    # wrong: the rows after the last whole block stay zero
    # loses: shapes
    # %%
    def cache_friendly_matmul(A, B, block_size=32):
        ...

Its first line is `# wrong: <why>` or `# right: <style>`; a wrong one says next which behaviours it
loses points for. Cells follow, each begun by `# %%`. The cell that defines <answer> takes the place
of the answer cell; those around it are extra cells of the student's. Nothing is run here.
"""

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from tinytorch.course.project import CourseError, Project

# A point stands for one of these: test_X is X's visible cell, test_X_hidden_<behaviour> the others.
BEHAVIOURS = (
    "visible",
    "values",
    "shapes",
    "dtypes",
    "errors",
    "mechanism",
    "mechanism_times",
    "mechanism_effects",
)
_HEAD = re.compile(r"# (?P<kind>wrong|right): (?P<about>\S.*)")
_LOSES = re.compile(r"# loses: (?P<list>\S.*)")
_MARKER = re.compile(r"# %%(?P<rest>.*)")


@dataclass(frozen=True)
class Entry:
    """One answer of the corpus, as a student would have written it into the notebook.

    about: why it is wrong, or its style. loses: the behaviours that it must lose points for.
    before, after: the sources of the student's extra cells around the answer's own.
    """

    path: Path
    answer: str
    slug: str
    wrong: bool
    about: str
    loses: tuple[str, ...]
    before: tuple[str, ...]
    source: str
    after: tuple[str, ...]


def corpus_folder(project: Project) -> Path:
    """Return where the course keeps its corpus."""
    return project.root / "tests" / "submissions" / "corpus"


def read_corpus(
    folder: Path, answers: Collection[str], only: Collection[str] | None = None
) -> list[Entry]:
    """Read every entry below `folder`, sorted by answer (in the order of `answers`) and slug.

    answers: the names that the lesson asks for. only: the answers to read, by default all.
    Raises CourseError that names the file and line of everything malformed.
    """
    if not folder.is_dir():
        raise CourseError(f"There is no corpus at {folder}. Name its folder with --corpus.")
    _check_names(folder, answers, only or ())
    entries: list[Entry] = []
    faults: list[str] = []
    for answer in answers:
        if only and answer not in only:
            continue
        for path in sorted((folder / answer).glob("*.py")):
            try:
                entries.append(read_entry(path))
            except CourseError as error:
                faults.append(f"  {error}")
    if faults:
        raise CourseError("\n".join(["These entries of the corpus cannot be used:", *faults]))
    if not entries:
        raise CourseError(f"{folder} holds no entries: expected <answer>/<slug>.py files.")
    return entries


def read_entry(path: Path) -> Entry:
    """Read one entry; CourseError that names its file and line where it is malformed."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    head = _HEAD.fullmatch(lines[0].rstrip())
    if head is None:
        raise _fault(path, 1, "the first line must be `# wrong: <why>` or `# right: <style>`")
    wrong = head["kind"] == "wrong"
    loses, first = _read_loses(path, lines, wrong)
    cells = list(_cells(path, lines, first))
    answer = path.parent.name
    defining = [index for index, (line, source) in enumerate(cells) if answer in _defined(source)]
    if len(defining) != 1:
        line = cells[defining[1]][0] if defining else len(lines)
        how_many = "a second cell defines" if defining else "no cell defines"
        raise _fault(path, line, f"{how_many} {answer!r}; exactly one must, at its top level")
    sources = tuple(source for _, source in cells)
    (at,) = defining
    return Entry(
        path, answer, path.stem, wrong, head["about"], loses,
        sources[:at], sources[at], sources[at + 1 :],
    )  # fmt: skip


def _fault(path: Path, line: int, what: str) -> CourseError:
    return CourseError(f"{path}:{line}: {what}.")


def _check_names(folder: Path, answers: Collection[str], only: Collection[str]) -> None:
    """Every folder and every chosen answer must be one that the lesson asks for."""
    found = {path.name for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._"}
    unknown = sorted((found | set(only)) - set(answers))
    if unknown:
        raise CourseError(
            f"The lesson asks for no {', '.join(unknown)} (a folder of {folder}, or --only). "
            f"It asks for: {', '.join(answers)}."
        )


def _read_loses(path: Path, lines: list[str], wrong: bool) -> tuple[tuple[str, ...], int]:
    """The declared behaviours, and the index of the line after them."""
    match = _LOSES.fullmatch(lines[1].rstrip()) if len(lines) > 1 else None
    if not wrong:
        if match or (len(lines) > 1 and lines[1].startswith("# loses")):
            raise _fault(path, 2, "a right answer loses nothing")
        return (), 1
    if match is None:
        raise _fault(path, 2, f"a wrong answer says `# loses: ` and some of {_known()}")
    loses = tuple(word.strip() for word in match["list"].split(","))
    for word in loses:
        if word not in BEHAVIOURS:
            raise _fault(path, 2, f"{word!r} is none of {_known()}")
    return tuple(dict.fromkeys(loses)), 2


def _known() -> str:
    return ", ".join(BEHAVIOURS)


def _cells(path: Path, lines: list[str], first: int) -> Iterator[tuple[int, str]]:
    """Each cell's first line (1 is the file's first) and source."""
    starts: list[int] = []
    for index, line in enumerate(lines[first:], first):
        marker = _MARKER.fullmatch(line.rstrip())
        if marker is None:
            if not starts and line.strip() and not line.startswith("#"):
                raise _fault(path, index + 1, "code before the first `# %%` line")
            continue
        if marker["rest"]:
            raise _fault(path, index + 1, f"{line!r}: a cell begins with a bare `# %%`")
        starts.append(index)
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        source = "\n".join(lines[start + 1 : end]).strip("\n")
        _check_syntax(path, start + 2, source)
        yield start + 2, source


def _check_syntax(path: Path, line: int, source: str) -> None:
    if not source.strip():
        raise _fault(path, line - 1, "an empty cell")
    try:
        _parse(source)
    except SyntaxError as error:
        where = line - 1 + (error.lineno or 1)
        raise _fault(path, where, f"this is not valid Python: {error.msg}") from error


def _parse(source: str) -> ast.Module:
    return ast.parse(TransformerManager().transform_cell(source))


def _defined(source: str) -> set[str]:
    """Names that a cell makes at its top level by def, class or assignment."""
    names = set()
    for node in _parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(
                name.id for t in targets for name in ast.walk(t) if isinstance(name, ast.Name)
            )
    return names
