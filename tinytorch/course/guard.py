"""Puts the intake before nbgrader's own copying, for `nbgrader autograde` and formgrader's button.

nbgrader copies a submission, follows its links and reads its time stamp before any preprocessor
runs. With the guard it meets only what intake.py has read, written into a folder of the grader's
own. nbgrader_config.py calls guard_nbgrader().
"""

import contextlib
import glob
import html
import json
import logging
import shutil
import tempfile
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytorch.course.project import CourseError, Project

if TYPE_CHECKING:
    from nbgrader.converters import Autograde

VERSION = "0.9.6"  # the nbgrader whose methods are known to be called as below
_MARK = "_tinytorch_intake"
REFUSED = "**This submission was not graded: every test counts as failed.**"


def guard_nbgrader() -> bool:
    """Wrap nbgrader's Autograde, once per process; False, and a warning, for another nbgrader."""
    import nbgrader
    from nbgrader.converters import Autograde

    if nbgrader.__version__ != VERSION:
        logging.getLogger(__name__).warning(
            "nbgrader %s copies submissions before anybody has looked at them: they are looked at "
            "with nbgrader %s only",
            nbgrader.__version__,
            VERSION,
        )
        return False
    if not hasattr(Autograde, _MARK):
        setattr(Autograde, _MARK, None)
        Autograde.init_notebooks = _find_submissions(Autograde.init_notebooks)
        Autograde.convert_notebooks = _convert_in_a_room(Autograde.convert_notebooks)
        Autograde.init_destination = _take_in_first(Autograde.init_destination)
    return True


def refusal(configurable: Any) -> str:
    """Return why the submission that a preprocessor works on was refused; empty if it was not."""
    node = configurable
    while node is not None:
        room = getattr(node, _MARK, None)
        if room is not None:
            return str(room.refused)
        node = getattr(node, "parent", None)
    return ""


class _Room:
    """Where one submission at a time lies while nbgrader converts it: <student>/<assignment>."""

    def __init__(self, folder: Path, project: Project) -> None:
        self.folder, self.project = folder, project
        self.submitted = project.submitted
        self.refused = ""

    def take_in(self, assignment: str, student: str, log: logging.Logger) -> None:
        """Look at a submission, and write what may be graded; the release if it is refused."""
        from tinytorch.course.intake import look, parse

        name = self.project.notebook(assignment).name
        found = look(self.submitted / student / assignment, name)
        self.refused = found.refused
        for left_out in found.left_out:
            log.warning("%s handed in %s: left out", student, left_out)
        if found.refused:
            log.warning("%s is not graded: %s", student, found.refused)
            notebook = _with_reason(self._handed_out(assignment), found.refused)
        else:
            notebook = parse(found.text)
        for old in self.folder.iterdir():
            shutil.rmtree(old)
        place = self.folder / student / assignment
        place.mkdir(parents=True)
        (place / name).write_text(json.dumps(notebook), encoding="utf-8")
        for relative, content in found.companions.items():
            (place / relative).parent.mkdir(parents=True, exist_ok=True)
            (place / relative).write_bytes(content)

    def _handed_out(self, assignment: str) -> dict[str, Any]:
        from tinytorch.course.intake import parse
        from tinytorch.course.reference import untouched

        released = self.project.release / assignment / self.project.notebook(assignment).name
        if released.is_file():
            return dict(parse(released.read_text(encoding="utf-8"), str(released)))
        return dict(untouched(self.project, assignment))


def _with_reason(notebook: dict[str, Any], reason: str) -> dict[str, Any]:
    """Say on top why nobody's answers follow. The reason names files: a student chose the names."""
    text = f"{REFUSED}\n\n<pre>{html.escape(reason)}</pre>"
    cell = {"id": "not-graded", "cell_type": "markdown", "metadata": {}, "source": text}
    return notebook | {"cells": [cell, *notebook["cells"]]}


def _find_submissions(original: Any) -> Any:
    def init_notebooks(self: "Autograde") -> None:
        """List who handed in, by the folders alone: what is in them is the intake's to say."""
        from nbgrader.converters import NbGraderException

        from tinytorch.course.intake import name_problem

        assignment = self.coursedir.assignment_id
        try:
            notebook = Project(Path(self.coursedir.root)).notebook(assignment)
        except CourseError as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from error
        found = sorted(glob.glob(self._format_source(assignment, self.coursedir.student_id)))
        if not found or not fnmatch(notebook.stem, self.coursedir.notebook_id):
            original(self)  # says who or what is missing
            raise NbGraderException(f"{assignment} has the notebook {notebook.stem} only.")
        self.assignments, self.notebooks = {}, []
        for folder in found:
            if problem := name_problem(Path(folder).parent):
                self.log.error("%s", problem)
            else:
                self.assignments[folder] = [str(Path(folder) / notebook.name)]

    return init_notebooks


def _convert_in_a_room(original: Any) -> Any:
    def convert_notebooks(self: "Autograde") -> None:
        """Let nbgrader see a folder of copies in place of what was handed in."""
        project = Project(Path(self.coursedir.root))
        real = self.coursedir.submitted_directory
        source = Path(self._format_source("-", "-")).parent.parent
        with tempfile.TemporaryDirectory(prefix="intake-") as name, contextlib.ExitStack() as undo:
            room = _Room(Path(name).resolve(), project)
            room.submitted = source
            undo.callback(setattr, self.coursedir, "submitted_directory", real)
            undo.callback(setattr, self, _MARK, None)
            setattr(self, _MARK, room)
            self.coursedir.submitted_directory = str(room.folder)
            self.assignments = {
                str(room.folder / Path(folder).relative_to(source)): [
                    str(room.folder / Path(path).relative_to(source)) for path in paths
                ]
                for folder, paths in self.assignments.items()
            }
            original(self)

    return convert_notebooks


def _take_in_first(original: Any) -> Any:
    def init_destination(self: "Autograde", assignment_id: str, student_id: str) -> bool:
        """Look at the submission before nbgrader reads so much as its time stamp."""
        getattr(self, _MARK).take_in(assignment_id, student_id, self.log)
        return bool(original(self, assignment_id, student_id))

    return init_destination
