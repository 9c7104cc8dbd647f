"""Turns what students handed in into tasks: data alone, which any process on any host can grade.

Says of each hand-in whether the instructor must put something right first (Unready), whether it is
refused as it is, or what a worker gets. Nothing here runs a student's code.
"""

import base64
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils

from tinytorch.course import seeds
from tinytorch.course.intake import STAMP, look, name_problem
from tinytorch.course.isolation import CELL
from tinytorch.course.judging import Limits
from tinytorch.course.project import CourseError, Project
from tinytorch.course.records import VERSION, Records, Task, digest, grader_of, key_of
from tinytorch.course.reference import released_cells, untouched, with_released_tests


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
    """Return nbgrader_config.py's limits for a submission, with the usual ones for the rest.

    timeout: seconds of a cell where there is no judge.
    """
    config = project.nbgrader_config()
    limits = {name: config.JudgedExecute.get(name, n) for name, n in asdict(Limits()).items()}
    return limits | {"timeout": config.IsolatedExecute.get("timeout", CELL)}


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
        """Return one student's task; Unready where the instructor must act."""
        folder = self.project.submitted / student / self.assignment
        read_at = time.time()
        timestamp = self._timestamp(folder, student)
        # Whether the text is a notebook is found out by the worker, whom it can hurt less.
        found = look(folder, self.name, content=False)
        companions = {name: data for name, data in found.companions.items() if name != STAMP}
        task = {
            "version": VERSION,
            "assignment": self.assignment,
            "notebook": Path(self.name).stem,
            "student": student,
            "submission": found.text,
            "companions": {n: base64.b64encode(data).decode() for n, data in companions.items()},
            "refused": found.refused,
            "release": self.release,
            "trusted": self.trusted,
            "limits": self.limits,
            "grader": grader_of(self.project),
            "root": str(self.project.root),  # where the course is at hand
        }
        task["key"] = key_of(task, self.release_digest)
        task["seed"] = self._seed(student)
        # What the coordinator adds to the record, and the worker has no use for.
        task["about"] = {
            "release": self.release_digest,
            "timestamp": timestamp,
            "read_at": read_at,
            "trusted": self.trusted,
            "left_out": list(found.left_out),
            "assignment": self.assignment,
            "notebook": Path(self.name).stem,
        }
        return task

    def _timestamp(self, folder: Path, student: str) -> str:
        if not folder.is_dir():
            raise Unready(f"{student} has not handed in: there is no {folder}.")
        if problem := name_problem(folder.parent):
            raise Unready(problem)
        stamp = folder / STAMP
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
