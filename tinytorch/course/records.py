"""Each student's result as one file of its own, which stands before any gradebook knows of it.

A file holds two lines: the record as JSON without its notebook, then the executed notebook,
compressed. So a table reads a class by first lines alone, and one rename puts both in place. The
files lie below `autograded` in a folder that begins with a dot: nbgrader's commands look for
<student>/<assignment> with patterns that no dotted name fits.
"""

import base64
import functools
import gzip
import hashlib
import json
import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from tinytorch.course.project import CourseError, Project

Record = dict[str, Any]
Task = dict[str, Any]

VERSION = 1
STATES = ("graded", "refused", "timeout", "infrastructure")
# Modules that decide no score: a change in them leaves every record standing. A module that is
# not named here counts as a part of the grader.
_NO_SCORE = {
    "batch", "build", "cli", "class_commands", "corpus", "demo", "dispatch", "doctor", "export",
    "feedback", "files", "gradebook", "lab_commands", "mutants", "mutations", "platforms",
    "proof_commands", "records", "refusals", "release", "report", "submissions", "terminal",
    "trial", "trial_workers", "verdicts",
}  # fmt: skip
_STUDENTS_PARTS = ("core", "lab", "data")


def key_of(task: Task, release: str | None = None) -> str:
    """Return what a result depends on, as sha256 in hex: a record with this key still stands.

    The submission and its companions, the release, the limits, whether it is trusted, and the
    grader itself. The seed is none of it: a regrade repeats it (see `stands`). release: the
    digest of task["release"], where it is known already.
    """
    kept = ("version", "assignment", "notebook", "student", "submission", "companions", "refused",
            "limits", "trusted", "grader")  # fmt: skip
    facts = {name: task.get(name) for name in kept}
    return digest(facts | {"release": release or digest(task["release"])})


def digest(value: Any) -> str:
    """Return the sha256 of a JSON-able value, the same for equal values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@functools.lru_cache(maxsize=8)
def grader_of(project: Project) -> str:
    """Return a hash of the grader: its modules, the student's package, and the versions."""
    found = hashlib.sha256()
    grading = [p for p in Path(__file__).parent.glob("*.py") if p.stem not in _NO_SCORE]
    package = [p for p in project.package.glob("*.py") if p.name != "_modidx.py"]
    for part in _STUDENTS_PARTS:
        package += [p for p in (project.package / part).rglob("*") if _is_source(p)]
    for folder, paths in ((Path(__file__).parent, grading), (project.package, package)):
        for path in sorted(set(paths) - {project.exported}):
            found.update(f"{path.relative_to(folder)}\0".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    found.update(json.dumps(versions(), sort_keys=True).encode())
    return found.hexdigest()


def _is_source(path: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts[-3:])
    return path.is_file() and path.suffix != ".pyc" and not hidden


def versions() -> dict[str, str]:
    """Return the versions that scores may depend on."""
    found = {"python": platform.python_version()}
    for name in ("numpy", "numba"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def stands(record: Record | None, key: str, seed: int | None = None) -> bool:
    """Say whether a record is the result that grading again would give.

    seed: the one that is asked for by hand; None takes whatever seed the record has.
    """
    return (
        record is not None
        and record["key"] == key
        and record["state"] != "infrastructure"
        and seed in (None, record.get("seed"))
    )


class Records:
    """The records of one assignment."""

    def __init__(self, project: Project, assignment: str) -> None:
        self.folder = project.autograded / ".records" / assignment

    def path(self, student: str) -> Path:
        """Return where a student's record belongs."""
        if len(student.encode()) > 200:  # a file's name holds 255 bytes
            student = f"{student[:40]}-{hashlib.sha256(student.encode()).hexdigest()}"
        return self.folder / f"{student}.json"

    def write(self, record: Record) -> None:
        """Put a record in place; after a power cut it is there as a whole, or not at all."""
        executed = record.get("executed")
        packed = b"" if executed is None else _pack(executed)
        head = {name: value for name, value in record.items() if name != "executed"}
        head["packed"] = hashlib.sha256(packed).hexdigest()
        content = json.dumps(head).encode() + b"\n" + packed + b"\n"
        try:
            write_durably(self.path(record["student"]), content)
        except OSError as error:
            raise CourseError(
                f"{self.path(record['student'])} cannot be written ({error.strerror}). Look at "
                "the folder's permissions and at the free space on its disk; what was graded "
                "before is kept."
            ) from error

    def read(self, student: str) -> Record | None:
        """Return a student's whole record; None if there is none, or if it is damaged."""
        try:
            head, packed = self.path(student).read_bytes().split(b"\n")[:2]
            record = _checked(head, student)
            if record is None or record["packed"] != hashlib.sha256(packed).hexdigest():
                return None
            record["executed"] = _unpack(packed) if packed else None
        except (OSError, ValueError, EOFError):
            return None
        return record

    def head(self, student: str) -> Record | None:
        """Return a record without its notebook; None as for `read`."""
        try:
            with self.path(student).open("rb") as file:
                return _checked(file.readline(), student)
        except (OSError, ValueError):
            return None

    def heads(self) -> Iterator[Record]:
        """Go through the class by student, without the notebooks."""
        for path in sorted(self.folder.glob("*.json")):
            with suppress(OSError, ValueError), path.open("rb") as file:
                record = _checked(file.readline())
                if record is not None and self.path(record["student"]) == path:
                    yield record

    def run_seed(self, drawn: int) -> int:
        """Return the seed of the unfinished run before this one, or keep `drawn` for this one."""
        path = self.folder / ".run"
        with suppress(OSError, ValueError):
            return int(path.read_text())
        write_durably(path, f"{drawn}\n".encode())
        return drawn

    def end_run(self) -> None:
        """Let the next run draw a seed of its own."""
        (self.folder / ".run").unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second coordinator of the same class out; the system frees it after a kill."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as file:
            try:
                import fcntl
            except ImportError:  # a system without it
                yield
                return
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise CourseError(
                    f"{self.folder.name} is being graded by another tito. Wait for it, or stop it."
                ) from error
            yield


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file in one step that a power cut cannot halve."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{secrets.token_hex(8)}.half")
    try:
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-written."""
    for half in folder.glob(".*.half"):
        half.unlink(missing_ok=True)


def fault_of(record: Any, task: Task) -> str:
    """Say what is wrong with what a worker returned; empty for a record of this task."""
    if not isinstance(record, dict):
        return f"the worker returned {type(record).__name__} and no record"
    if record.get("version") != VERSION or record.get("state") not in STATES:
        return (
            f"the worker returned version {record.get('version')!r}, state {record.get('state')!r}"
        )
    if (record.get("key"), record.get("student")) != (task["key"], task["student"]):
        return "the worker returned another submission's record"
    scores = record.get("scores")
    if record["state"] in ("graded", "timeout") and not (scores and record.get("executed")):
        return "the worker returned a record without scores or notebook"
    return ""


def _pack(text: str) -> bytes:
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0))


def _unpack(packed: bytes) -> str:
    return gzip.decompress(base64.b64decode(packed)).decode()


def _checked(head: bytes, student: str | None = None) -> Record | None:
    record = json.loads(head)
    fits = (
        isinstance(record, dict)
        and record.get("version") == VERSION
        and record.get("state") in STATES
        and all(isinstance(record.get(name), str) for name in ("key", "student", "packed"))
        and student in (None, record.get("student"))
    )
    return record if fits else None
