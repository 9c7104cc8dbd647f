"""Looks at a submission's folder before anybody copies or parses it: the first who touches it.

What is handed on was read from regular files, once, through handles that follow no link; nothing
that happens to the folder later can change it. What is in the notebook is looked at by parsing.py.
"""

import os
import re
import stat
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tinytorch.course.parsing import parse
from tinytorch.course.project import CourseError

__all__ = ["Intake", "look", "name_problem", "parse"]

STAMP = "timestamp.txt"
MAX_NOTEBOOK = 20_000_000  # bytes
MAX_COMPANION = 10_000_000
MAX_COMPANIONS = 30_000_000  # all of them together
MAX_FILES = 200
MAX_ENTRIES = 2_000  # what a folder may hold at all
MAX_FOLDERS = 100
MAX_DEPTH = 5
_STAMP_BYTES = 200
_SHOWN = 20  # names in `left_out`

# What programs leave behind without being asked: not worth a word.
_LITTER = {".ipynb_checkpoints", "__pycache__", ".DS_Store", "__MACOSX", "Thumbs.db", "desktop.ini"}
_MODULE = {".py", ".pyc", ".pyi", ".pyd", ".pyw", ".so", ".pth", ".dylib", ".dll"}
# Read by IPython, Jupyter and pytest from the folder that they start in, or by Python at its start.
_READ_AT_START = re.compile(
    r"(ipython|jupyter|nbgrader|nbconvert)\w*config\.(py|json)|conftest\.py"
    r"|(site|user)customize\.py|jupytext\.\w+|pyproject\.toml"
)
# What a server, formgrader's among them, hands to a browser as a page or a script of its own.
_FOR_BROWSERS = {
    ".htm", ".html", ".xht", ".xhtml", ".shtml", ".mht", ".mhtml", ".svg", ".svgz", ".xml", ".xsl",
    ".xslt", ".js", ".mjs", ".swf",
}  # fmt: skip
_NO_LINK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Intake:
    """What a submission brought. `refused` is empty, or says what is wrong and the way out.

    text: the notebook's. companions: content by relative name, timestamp.txt among them. left_out:
    names, with the reason, of what was not taken.
    """

    refused: str = ""
    text: str = ""
    companions: dict[str, bytes] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def name_problem(folder: Path) -> str:
    """Say why nobody can be graded under the name of this folder, submitted/<student>, or nothing.

    formgrader writes a student's name into its pages and scripts as it stands.
    """
    if set(folder.name) & set("*?[]"):
        return f"{folder}: nbgrader takes *, ?, [ and ] for patterns. Rename the folder."
    if set(folder.name) & set('<>"\\') or not folder.name.isprintable():
        return (
            f"{str(folder)!a}: names with <, >, \", \\ or what cannot be printed break nbgrader's "
            "pages. Rename the folder."
        )
    return ""


class _Refused(Exception):
    """Ends the look; its text is for a person."""


class _Entry(NamedTuple):
    name: str  # relative to the submission's folder
    folder: int  # handle of the folder that it is in
    state: os.stat_result


def look(folder: Path, notebook_name: str, content: bool = True) -> Intake:
    """Read the submission in `folder` (submitted/<student>/<assignment>); raises nothing.

    content: whether to parse the notebook too. Without it `text` is any UTF-8 text, and who
    parses it later must expect a CourseError.
    """
    try:
        with ExitStack() as handles:
            found = _look(folder, notebook_name, handles)
        if content:
            parse(found.text, str(folder / notebook_name))
        return found
    except (_Refused, CourseError) as refused:
        return Intake(refused=_one_line(str(refused)))
    except (OSError, ValueError) as error:  # ValueError: a NUL in a path
        reason = getattr(error, "strerror", None) or error
        return Intake(refused=_one_line(f"{folder} cannot be read: {reason}."))


def _look(folder: Path, notebook_name: str, handles: ExitStack) -> Intake:
    entries, left_out = _entries(_opened(folder, handles), handles)
    path = folder / notebook_name
    by_name = {entry.name: entry for entry in entries}
    notebook = by_name.pop(notebook_name, None)
    if notebook is None:
        if path.is_dir():
            raise _Refused(f"{path} is a folder. Ask for the notebook itself.")
        others = sorted(name for name in by_name if name.endswith(".ipynb") and "/" not in name)
        there = f"{', '.join(others[:5])} is there" if others else "there is no notebook"
        raise _Refused(f"{path} is missing ({there}). Rename the right notebook to {path.name}.")
    if notebook.state.st_size > MAX_NOTEBOOK:
        raise _Refused(
            f"{path} has {notebook.state.st_size / 1e6:,.0f} MB, at most "
            f"{MAX_NOTEBOOK / 1e6:.0f} MB are read. Ask for it with its outputs cleared."
        )
    text = _decoded(_read(notebook, MAX_NOTEBOOK), path)
    stamp = by_name.pop(STAMP, None)
    companions = {} if stamp is None else {STAMP: _stamp(stamp, folder / STAMP)}
    _take(list(by_name.values()), PurePosixPath(notebook_name).stem, companions, left_out)
    named = sorted(left_out)
    if len(named) > _SHOWN:
        named = [*named[:_SHOWN], f"and {len(named) - _SHOWN} more"]
    return Intake(text=text, companions=companions, left_out=tuple(named))


def _opened(folder: Path, handles: ExitStack) -> int:
    """Open a submission's folder step by step from `submitted`, so that no step is a link."""
    student = folder.parent.name
    if problem := name_problem(folder.parent):
        raise _Refused(problem)
    try:
        handle = os.open(folder.parent.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        handles.callback(os.close, handle)
        for step in (folder.parent, folder):
            state = os.stat(step.name, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISLNK(state.st_mode):
                raise _Refused(_no_link(str(step)))
            handle = _subfolder(step.name, handle, handles)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _Refused(f"{student} has not handed in: there is no folder {folder}.") from error
    return handle


def _subfolder(name: str, parent: int, handles: ExitStack) -> int:
    handle = os.open(name, _NO_LINK | os.O_DIRECTORY, dir_fd=parent)
    handles.callback(os.close, handle)
    return handle


def _entries(top: int, handles: ExitStack) -> tuple[list[_Entry], list[str]]:
    """Return the regular files in order of name, and what was not looked at."""
    files: list[_Entry] = []
    left_out: list[str] = []
    seen = 0
    folders = [("", top)]
    for prefix, handle in folders:
        with os.scandir(handle) as listing:
            for item in listing:
                seen += 1
                if seen > MAX_ENTRIES:
                    raise _Refused(
                        f"The folder holds more than {MAX_ENTRIES:,} files and folders. Ask for "
                        "the notebook and the few files that it reads."
                    )
                entry = _Entry(prefix + item.name, handle, item.stat(follow_symlinks=False))
                if not stat.S_ISDIR(entry.state.st_mode):
                    _require_file(entry)
                    files += [] if item.name in _LITTER else [entry]
                elif item.name not in _LITTER:
                    inside = _inside(entry, len(folders), handles)
                    if isinstance(inside, str):
                        left_out.append(f"{_shown(entry.name)}/ ({inside})")
                    else:
                        folders.append((f"{entry.name}/", inside))
    return sorted(files, key=lambda entry: entry.name), left_out


def _inside(entry: _Entry, folders: int, handles: ExitStack) -> int | str:
    """Open a folder in a submission; or say why it is left out."""
    name = PurePosixPath(entry.name).name
    if name.startswith("."):
        return "a setting"
    if entry.name.count("/") >= MAX_DEPTH:
        return f"deeper than {MAX_DEPTH} folders"
    if folders > MAX_FOLDERS:
        return f"more than {MAX_FOLDERS} folders"
    try:
        return _subfolder(name, entry.folder, handles)
    except PermissionError:
        return "cannot be read"


def _require_file(entry: _Entry) -> None:
    mode, name = entry.state.st_mode, _shown(entry.name)
    if stat.S_ISLNK(mode):
        raise _Refused(_no_link(name))
    if not stat.S_ISREG(mode):
        raise _Refused(f"{name} is no file but a device, a pipe or a socket. Remove it.")
    if entry.state.st_nlink > 1:
        raise _Refused(
            f"{name} is a hard link: the same file has another name elsewhere. Put a copy of it "
            "in its place."
        )


def _no_link(name: str) -> str:
    return f"{name} is a link, and links are not followed. Ask for the file itself."


def _read(entry: _Entry, limit: int) -> bytes:
    """Read a file that is still the one that was looked at."""
    handle = os.open(PurePosixPath(entry.name).name, _NO_LINK, dir_fd=entry.folder)
    with open(handle, "rb") as file:
        state = os.fstat(handle)
        now = entry._replace(state=state)
        _require_file(now)
        if not os.path.samestat(state, entry.state):
            raise _Refused(f"{_shown(entry.name)} was exchanged while it was read. Try again.")
        content = file.read(limit + 1)
    if len(content) > limit:
        raise _Refused(f"{_shown(entry.name)} grew while it was read. Try again.")
    return content


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Refused(
            f"{path} is not a notebook (it is not UTF-8 text: {error.reason} at byte "
            f"{error.start}). Ask the student to save it in JupyterLab and hand it in again."
        ) from error


def _stamp(entry: _Entry, path: Path) -> bytes:
    from nbgrader.utils import parse_utc

    try:
        content = _read(entry, _STAMP_BYTES)
        parse_utc(content.decode("ascii").strip())
    except Exception as error:  # dateutil raises what the text makes it raise
        raise _Refused(f"{path} holds no date. Correct it, or delete it.") from error
    return content


def _take(
    entries: list[_Entry], notebook: str, companions: dict[str, bytes], left_out: list[str]
) -> None:
    """Read the companions that may come along, in order of name as long as there is room."""
    room = MAX_COMPANIONS
    for entry in entries:
        reason = _reason_against(entry, notebook)
        if not reason and len(companions) >= MAX_FILES:
            reason = f"more than {MAX_FILES} files"
        if not reason and entry.state.st_size > room:
            reason = f"more than {MAX_COMPANIONS / 1e6:.0f} MB in all"
        if not reason:
            try:
                companions[entry.name] = _read(entry, min(room, MAX_COMPANION))
            except OSError as error:
                reason = f"cannot be read: {error.strerror}"
            else:
                room -= len(companions[entry.name])
                continue
        left_out.append(f"{_shown(entry.name)} ({reason})")


def _reason_against(entry: _Entry, notebook: str) -> str:
    """Say why a file stays where it is; empty if it may come along."""
    path = PurePosixPath(entry.name)
    module = path.parts[0].split(".")[0]
    if not all(part.isprintable() for part in path.parts):
        return "its name cannot be written"
    if path.suffix == ".ipynb":
        return "another notebook"
    if path.name.startswith(".") or _READ_AT_START.fullmatch(path.name):
        return "a setting"
    if path.parts[0] == "tinytorch" or (
        path.suffix in _MODULE and module in _modules() | {notebook}
    ):
        return f"named like the module {module}"
    if path.suffix.lower() in _FOR_BROWSERS:
        return "a page for browsers"
    if entry.state.st_size > MAX_COMPANION:
        return f"more than {MAX_COMPANION / 1e6:.0f} MB"
    return ""


@cache
def _modules() -> frozenset[str]:
    """The names that the grader imports: Python's own and those of installed packages."""
    return frozenset({"tinytorch", *sys.stdlib_module_names, *metadata.packages_distributions()})


def _shown(name: str) -> str:
    """A file's name for a person: it may hold anything, of any length."""
    plain = name if name.isprintable() else ascii(name)
    return plain if len(plain) <= 80 else f"{plain[:77]}..."


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:1_000]
