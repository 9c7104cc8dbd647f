"""Exports a notebook to tinytorch/core/kernels.py with nbdev, without solution markers.

Works on the lesson's notebook and on any student's; no code of the notebook is run.
"""

import tempfile
import warnings
from pathlib import Path, PurePosixPath
from typing import Any

from tinytorch.course.files import write_whole
from tinytorch.course.lesson import HIDDEN, SOLUTION
from tinytorch.course.project import CourseError

MODULE = "core.kernels"


def export_notebook(notebook: Path, dest_package: Path) -> Path:
    """Export `notebook` to <dest_package>/core/kernels.py and return that path.

    dest_package: the folder of the package itself (tinytorch, not the folder around it).
    A file that would not change is not touched. Raises CourseError if the notebook cannot be
    read, exports nothing, or has a syntax error in an exported cell.
    """
    target = dest_package / "core" / "kernels.py"
    if not target.parent.is_dir():
        raise CourseError(
            f"{dest_package} holds no folder 'core': name the package's own folder, tinytorch."
        )
    try:
        content = notebook.read_bytes()
    except OSError as error:
        raise CourseError(f"{notebook} cannot be read: {error.strerror}.") from error
    place = _place(notebook, dest_package.parent)
    write_whole(target, exported_text(content, place, notebook).encode())
    return target


def exported_text(content: bytes, place: PurePosixPath, notebook: Path) -> str:
    """Return the module that a notebook's `content` exports.

    place: where the notebook lies beside the package, for the header; the text depends neither
    on the working directory nor on where the course lies. `notebook` is for messages only.
    """
    from nbdev.export import nb_export

    with tempfile.TemporaryDirectory(prefix="tinytorch-export-") as scratch:
        stage = Path(scratch).resolve()
        copy = stage / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content)
        package = stage / "tinytorch"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # nbdev's advice is for nbdev projects
                nb_export(copy, lib_path=package, procs=[_one_module, _unmark], name=MODULE)
        except CourseError as error:
            raise CourseError(f"{notebook}: {error}") from error
        except Exception as error:
            raise CourseError(
                f"{notebook} is not a notebook that can be exported "
                f"({type(error).__name__}: {error}). Open it in JupyterLab and save it again."
            ) from error
        made = package / "core" / "kernels.py"
        if not made.is_file():
            raise CourseError(
                f"{notebook} exports nothing: no code cell of it begins with `#| export`."
            )
        text = made.read_text(encoding="utf-8")
    _check_syntax(text, notebook)
    return text


def _place(notebook: Path, root: Path) -> PurePosixPath:
    try:
        relative = notebook.resolve().relative_to(root.resolve())
    except ValueError:
        return PurePosixPath(notebook.name)
    return PurePosixPath(relative.as_posix())


def _one_module(cell: Any) -> None:
    """Refuse `#| export other.module`: a notebook of this course has one module."""
    for directive, arguments in cell.directives_.items():
        if directive in ("export", "exporti", "exports") and arguments:
            raise CourseError(
                f"`#| {directive} {' '.join(arguments)}` names a module of its own: "
                f"write `#| {directive}`, everything goes to {MODULE}."
            )


def _unmark(cell: Any) -> None:
    """Drop the marker lines, which tell a learner nothing."""
    markers = {*SOLUTION, *HIDDEN}
    lines = cell.source.split("\n")
    kept = [line for line in lines if line.strip() not in markers]
    if len(kept) != len(lines):
        cell.set_source("\n".join(kept))


def _check_syntax(text: str, notebook: Path) -> None:
    try:
        compile(text, "kernels.py", "exec")
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        cells = [row for row in text.split("\n")[:line] if row.startswith("# %% ")]
        where = cells[-1].rpartition("#")[2] if cells else "?"
        raise CourseError(
            f"{notebook}: exported cell {where!r} is not valid Python ({error}). "
            "Put it right and export again."
        ) from error
