"""Turns what students handed in into tasks: data alone, which any process on any host can grade.

Says of each hand-in whether the instructor must put something right first (Unready), whether it is
refused as it is, or what a worker gets. Nothing here runs a student's code.
"""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils

from tinytorch.course import seeds
from tinytorch.course.project import CourseError, Project
from tinytorch.course.records import VERSION, Records, Task, digest, grader_of, key_of
from tinytorch.course.reference import released_cells, untouched, with_released_tests

MOST_NOTEBOOK = 20_000_000  # bytes; the lesson with all its pictures has a twentieth of that
MOST_COMPANIONS = 20_000_000


class Unready(CourseError):
    """A hand-in that the instructor, not the student, can put right."""


def release_of(project: Project, assignment: str) -> dict[str, Any]:
    """Return what students are graded by: the notebook without solutions, and the cells' facts."""
    stem = project.notebook(assignment).stem
    cells = released_cells(project.gradebook_url, assignment, stem)
    notebook = with_released_tests(untouched(project, assignment), cells)
    named = {name: asdict(cells[name]) for name in sorted(cells)}
    return {"notebook": nbformat.writes(notebook), "cells": named}


def limits_of(project: Project) -> dict[str, Any]:
    """Return nbgrader_config.py's limits for a submission."""
    config = project.nbgrader_config().IsolatedExecute
    return {
        name: config[name] for name in ("timeout", "max_restarts", "max_output") if name in config
    }


class HandIns:
    """A class's hand-ins of one assignment, read one at a time."""

    def __init__(
        self, project: Project, assignment: str, seed: int | None = None, trusted: bool = False
    ) -> None:
        self.project, self.assignment = project, assignment
        self.name = project.notebook(assignment).name
        self.seed, self.trusted = seed, trusted
        self.records = Records(project, assignment)
        self.release = release_of(project, assignment)
        self.release_digest = digest(self.release)
        self.limits = limits_of(project)
        self._drawn: int | None = None

    def students(self) -> list[str]:
        """Return everybody who has a folder for the assignment."""
        folders = self.project.submitted.glob(f"*/{self.assignment}")
        return sorted(folder.parent.name for folder in folders)

    def task(self, student: str) -> Task:
        """Return one student's task, before `checked`; Unready where the instructor must act."""
        folder = self.project.submitted / student / self.assignment
        read_at = time.time()
        timestamp = self._timestamp(folder, student)
        refused, content, text = "", b"", None
        companions: dict[str, str] = {}
        try:
            content = _read(folder, self.name)
            companions = _companions(folder)
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            refused = _no_notebook(folder / self.name, error)
        except _Refusal as refusal:
            refused = str(refusal)
        task = {
            "version": VERSION,
            "assignment": self.assignment,
            "notebook": Path(self.name).stem,
            "student": student,
            "submission": text,
            "companions": companions,
            "refused": refused,
            "content": hashlib.sha256(content).hexdigest(),
            "release": self.release,
            "trusted": self.trusted,
            "limits": self.limits,
            "grader": grader_of(self.project),
        }
        task["key"] = key_of(task, self.release_digest)
        task["seed"] = self._seed(student)
        # What the coordinator adds to the record, and the worker has no use for.
        task["about"] = {
            "release": self.release_digest,
            "timestamp": timestamp,
            "read_at": read_at,
            "trusted": self.trusted,
            "assignment": self.assignment,
            "notebook": Path(self.name).stem,
        }
        return task

    def checked(self, task: Task) -> Task:
        """Refuse what is no notebook. Not in the key, which the text decides: it takes a while."""
        if task["refused"]:
            return task
        try:
            nbformat.reads(task["submission"], as_version=4)
            json.loads(task["submission"])["cells"]
        except Exception as error:  # nbformat raises what the JSON inside makes it raise
            path = self.project.submitted / task["student"] / self.assignment / self.name
            return task | {"refused": _no_notebook(path, error), "submission": None}
        return task

    def _timestamp(self, folder: Path, student: str) -> str:
        if not folder.is_dir():
            raise Unready(f"{student} has not handed in: there is no {folder}.")
        if set(student) & set("*?[]"):
            raise Unready(
                f"{folder.parent}: nbgrader takes *, ?, [ and ] for patterns. Rename the folder."
            )
        stamp = folder / "timestamp.txt"
        if stamp.is_symlink() or not stamp.is_file():
            return ""
        try:
            said = stamp.read_text().strip()
            utils.parse_utc(said or None)
        except (ValueError, OverflowError, OSError) as error:
            raise Unready(f"{stamp} holds no date. Correct it, or delete it.") from error
        return said

    def _seed(self, student: str) -> int:
        """Return the seed given by hand, the student's last one, or the run's."""
        if self.seed is not None:
            return self.seed
        record = self.records.head(student) or {}
        former = seeds.recorded(self.project, self.assignment, student)
        for known in (record.get("seed"), former):
            if isinstance(known, int):
                return known
        if self._drawn is None:
            self._drawn = self.records.run_seed(seeds.of_this_run())
        return self._drawn


def misplaced(project: Project, assignment: str) -> Iterator[tuple[str, str]]:
    """Name everything in `submitted` that is no <student>/<assignment>/, with the way out."""
    for entry in sorted(project.submitted.iterdir() if project.submitted.is_dir() else ()):
        if entry.name.startswith("."):
            continue
        found = [entry] if entry.is_file() else sorted(entry.glob("*.ipynb"))
        if found and not (entry / assignment).is_dir():
            place = project.submitted / "<student>" / assignment / project.notebook(assignment).name
            yield entry.name, f"{found[0]} is not where it is looked for. Move it to {place}."


class _Refusal(Exception):
    """What is handed in cannot be graded, and the student can do something about it."""


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    links = [p for p in (folder.parent, folder, *sorted(folder.rglob("*"))) if p.is_symlink()]
    if links:
        raise _Refusal(
            f"{links[0]} is a link, and links are not followed. Ask for the file itself."
        )
    if not path.is_file():
        others = sorted(p.name for p in folder.glob("*.ipynb") if p.is_file())
        there = f"{', '.join(others)} is there" if others else "there is no notebook"
        raise _Refusal(f"{path} is missing ({there}). Rename the right notebook to {name}.")
    try:
        if path.stat().st_size > MOST_NOTEBOOK:
            raise _Refusal(
                f"{path} holds more than {MOST_NOTEBOOK // 1_000_000} MB. Ask for it without "
                "outputs (Kernel, Restart and Clear Outputs)."
            )
        return path.read_bytes()
    except OSError as error:
        raise Unready(f"{path} cannot be read: {error.strerror}.") from error


def _companions(folder: Path) -> dict[str, str]:
    """Return what lies beside the notebook, but notebooks and packages named as the course's."""
    found, size = {}, 0
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or path.suffix == ".ipynb" or relative.parts[0] == "tinytorch":
            continue
        if relative.as_posix() == "timestamp.txt":
            continue
        size += path.stat().st_size
        if size > MOST_COMPANIONS:
            raise _Refusal(
                f"{folder} holds more than {MOST_COMPANIONS // 1_000_000} MB beside the notebook. "
                "Ask for the notebook alone."
            )
        found[relative.as_posix()] = base64.b64encode(path.read_bytes()).decode()
    return found


def _no_notebook(path: Path, error: Exception) -> str:
    reason = str(error).strip().splitlines() or [""]
    return (
        f"{path} is not a notebook ({type(error).__name__}: {reason[0][:100]}). "
        "Ask the student to save it in JupyterLab and hand it in again."
    )
