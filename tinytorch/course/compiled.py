"""Machine code of the student's package, compiled once and copied into every grading room.

A run of the reference outside of a sandbox compiles the helpers of tinytorch.core (some seconds),
and only such a run fills the store: what a submission compiles goes with its room. Stored code
counts for the very files that it was made from; Numba checks that once more when it loads it.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from nbformat import NotebookNode

from tinytorch.course.project import Project

_KINDS = (".nbi", ".nbc")  # Numba's index and its code


def copy_into(project: Project, package: Path) -> None:
    """Copy what is stored for this package's files into <package>/tinytorch/core."""
    core = package / "tinytorch" / "core"
    store = _store(project, core)
    for path in _compiled(store):
        target = core / path.relative_to(store)
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # a fuller store has taken this one's place
            shutil.copyfile(path, target)


def missing(project: Project, notebook: NotebookNode) -> bool:
    """Whether this lesson compiles, and nothing is stored of this package."""
    if not any("numba" in cell.source for cell in notebook.cells):
        return False
    return not _store(project, project.package / "core").exists()


def share(project: Project, copy: Project) -> None:
    """Store in a copy of the course what this one has stored."""
    with suppress(OSError):
        shutil.copytree(project.build / "compiled", copy.build / "compiled")


def keep(project: Project, package: Path) -> None:
    """Store what a trusted run compiled in <package>/tinytorch/core, unless it is there already.

    A store that lacks some of it is replaced as a whole: every room begins with what was stored. A
    folder that cannot be written costs later rooms their time, and nothing else.
    """
    core = package / "tinytorch" / "core"
    store = _store(project, core)
    if {p.relative_to(core) for p in _compiled(core)} <= {
        p.relative_to(store) for p in _compiled(store)
    }:
        return
    with suppress(OSError):
        store.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=store.parent, prefix=".new-") as name:
            new = Path(name) / "core"
            for path in _compiled(core):
                target = new / path.relative_to(core)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            if new.exists():
                if store.exists():
                    os.rename(store, Path(name) / "old")
                os.rename(new, store)  # fails where another process was first: that one is as good


def _store(project: Project, core: Path) -> Path:
    """Where the code for these source files is kept."""
    digest = hashlib.sha256()
    for path in sorted(core.rglob("*.py")):
        state = path.stat()
        if path.name != "kernels.py":  # not the package's in a grading room
            digest.update(
                f"{path.relative_to(core)} {state.st_mtime_ns} {state.st_size}\n".encode()
            )
    return project.build / "compiled" / digest.hexdigest()[:16]


def _compiled(folder: Path) -> Iterator[Path]:
    """Numba's files below a folder."""
    return (path for path in folder.rglob("*") if path.suffix in _KINDS and path.is_file())
