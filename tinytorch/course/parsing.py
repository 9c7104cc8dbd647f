"""A submission's text as a notebook: what JSON may hold, cut down to what grading looks at.

Knows no files (intake.py reads those) and no release (clean.py compares with that).
"""

import json
import re
from typing import Any

from nbformat import NotebookNode

from tinytorch.course.project import CourseError

MAX_CELLS = 5_000
MAX_DEPTH = 100
MAX_PARTS = 2_000_000  # brackets, commas and colons: an empty list takes 60 bytes of memory
MAX_NUMBER = 400  # characters

# A string, even one without an end: else every quote after a missing one would be tried again.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")  # neither Python source nor UTF-8 can hold these
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*+")
_PICTURES = ("image/png", "image/jpeg", "image/gif")


def parse(text: str, name: str = "The submitted file") -> NotebookNode:
    """Return a submission's notebook without outputs, or raise CourseError that says what is wrong.

    Of the metadata only nbgrader's plain values and the tags are kept, of attachments the
    pictures. Every cell has an id of its own: the one it came with where that can be.
    """
    try:
        return _notebook(_loaded(text))
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:150]
        raise CourseError(
            f"{name} is not a notebook ({reason}). Ask the student to save it in JupyterLab and "
            "hand it in again."
        ) from error


def _loaded(text: str) -> Any:
    structure = _STRING.sub("", text)
    if sum(map(structure.count, "[]{},:")) > MAX_PARTS:
        raise ValueError(f"it has more than {MAX_PARTS:,} parts; clear its outputs first")
    depth = deepest = 0
    for bracket in re.findall(r"[][{}]", structure):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ValueError(f"its parts are nested more than {MAX_DEPTH} deep")
    return json.loads(
        text,
        parse_int=lambda digits: int(_short(digits)),
        parse_float=lambda digits: float(_short(digits)),
        parse_constant=lambda _: None,
    )


def _short(digits: str) -> str:
    if len(digits) > MAX_NUMBER:
        raise ValueError(f"it has a number of more than {MAX_NUMBER} digits")
    return digits


def _notebook(data: Any) -> NotebookNode:
    if not isinstance(data, dict):
        raise ValueError("it holds no JSON object")
    major, minor = data.get("nbformat"), data.get("nbformat_minor", 0)
    if type(major) is not int or type(minor) is not int:
        raise ValueError("it does not say which notebook format it has")
    if major != 4:
        raise ValueError(f"it has notebook format {major}, and 4 is needed")
    if not isinstance(data.get("metadata", {}), dict):
        raise ValueError("its metadata is no JSON object")
    cells = data.get("cells")
    if not isinstance(cells, list):
        raise ValueError("it has no list of cells")
    if len(cells) > MAX_CELLS:
        raise ValueError(f"it has {len(cells):,} cells, and at most {MAX_CELLS:,} are read")
    read = [_cell(cell, number) for number, cell in enumerate(cells, 1)]
    _give_ids(read, [cell.get("id") for cell in cells])
    return NotebookNode(nbformat=4, nbformat_minor=5, metadata=NotebookNode(), cells=read)


def _cell(cell: Any, number: int) -> NotebookNode:
    if not isinstance(cell, dict):
        raise ValueError(f"cell {number} is no JSON object")
    kind, metadata = cell.get("cell_type"), cell.get("metadata", {})
    if kind not in ("code", "markdown", "raw"):
        raise ValueError(f"cell {number} is neither code nor text")
    if not isinstance(metadata, dict):
        raise ValueError(f"the metadata of cell {number} is no JSON object")
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise ValueError(f"the source of cell {number} is no text")
    found = NotebookNode(
        id="", cell_type=kind, metadata=_metadata(metadata), source=_usable(source)
    )
    if kind == "code":
        found |= {"outputs": [], "execution_count": None}
    elif pictures := _pictures(cell.get("attachments")):
        found["attachments"] = pictures
    return found


def _usable(text: str) -> str:
    return _UNUSABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _metadata(found: dict[str, Any]) -> NotebookNode:
    """Keep what names a cell, as far as it is plain; whether it is true is for clean.py to say."""
    kept = NotebookNode()
    nbgrader, tags = found.get("nbgrader"), found.get("tags")
    if isinstance(nbgrader, dict):
        plain = {
            _usable(key): _usable(value) if isinstance(value, str) else value
            for key, value in nbgrader.items()
            if isinstance(value, str | int | float) and len(key) + len(str(value)) <= 500
        }
        kept["nbgrader"] = NotebookNode(plain)
    if isinstance(tags, list):
        kept["tags"] = sorted({_usable(tag) for tag in tags[:100] if isinstance(tag, str)})
    return kept


def _pictures(attachments: Any) -> NotebookNode:
    """Keep pasted pictures: a written answer may be one. Text of another kind could be a script."""
    kept = NotebookNode()
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        if isinstance(bundle, dict) and re.fullmatch(r"[\w. -]{1,100}", name):
            pictures = {
                mime: bundle[mime]
                for mime in _PICTURES
                if isinstance(bundle.get(mime), str) and _BASE64.fullmatch(bundle[mime])
            }
            if pictures:
                kept[name] = NotebookNode(pictures)
    return kept


def _give_ids(cells: list[NotebookNode], found: list[Any]) -> None:
    wanted = [
        name if isinstance(name, str) and _CELL_ID.fullmatch(name) else None for name in found
    ]
    taken = set(wanted)
    seen: set[str] = set()
    number = 0
    for cell, name in zip(cells, wanted, strict=True):
        while name is None or name in seen:
            number += 1
            name = None if f"cell-{number}" in taken else f"cell-{number}"
        seen.add(name)
        cell["id"] = name
