"""Looks at this computer and says, line by line, whether it can build and grade, or what to do.

Changes nothing.
"""

import importlib.util
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tinytorch.course.project import CourseError, Project

# Distribution name and the name it is imported by.
NEEDED = {
    "numpy": "numpy",
    "numba": "numba",
    "matplotlib": "matplotlib",
    "nbgrader": "nbgrader",
    "nbdev": "nbdev",
    "jupytext": "jupytext",
    "jupyterlab": "jupyterlab",
    "ipykernel": "ipykernel",
    "typer": "typer",
    "rich": "rich",
}
SPACE_NEEDED = 1_000_000_000  # bytes: a class of some hundred executed notebooks and pages
_INSTALL = 'run `pip install -e ".[course]"` in the course folder'


@dataclass(frozen=True)
class Finding:
    """One line of the examination; `required` says that nothing works without it."""

    ok: bool
    text: str
    required: bool = True


def examine(root: Path | None = None) -> Iterator[Finding]:
    """Yield the findings one by one, quick ones first. `root`: where to look for the course."""
    yield _python()
    yield from _packages(_pins(root))
    yield from _blas()
    yield _kernel()
    yield _sandbox()
    yield from _account()
    try:
        project = Project(root) if root else Project.find()
    except CourseError as error:
        yield Finding(False, str(error))
        return
    yield _disk(project.root)
    yield from _writable(project)
    yield from _course(project)


def _python() -> Finding:
    name = f"Python {platform.python_version()} at {sys.executable}"
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding(True, name)
    return Finding(False, f"{name}: use 3.11, 3.12 or 3.13")


def _pins(root: Path | None) -> dict[str, str]:
    path = (root or Path.cwd()) / "constraints.txt"
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([\w.-]+)==([^\s;#]+)", line) for line in lines)
    return {m[1].lower().replace("_", "-"): m[2] for m in found if m}


def _packages(pins: dict[str, str]) -> Iterator[Finding]:
    for name, module in NEEDED.items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(False, f"{name} is not installed: {_INSTALL}")
            continue
        if importlib.util.find_spec(module) is None:
            yield Finding(False, f"{name} {version} cannot be imported: {_INSTALL}")
        elif pins.get(name, version) != version:
            text = f"{name} {version}, tested with {pins[name]}: if something fails, "
            yield Finding(False, f"{text}run `pip install {name}=={pins[name]}`", required=False)
        else:
            yield Finding(True, f"{name} {version}")


def _blas() -> Iterator[Finding]:
    try:
        import numpy as np
    except Exception as error:  # a broken binary raises more than ImportError
        yield Finding(False, f"numpy does not import ({error}): {_INSTALL}")
        return
    config = np.show_config(mode="dicts") or {}
    blas = config.get("Build Dependencies", {}).get("blas", {})
    cores = os.cpu_count() or 1
    limits = [
        f"{name}={os.environ[name]}"
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        if name in os.environ
    ]
    threads = f"limited by {', '.join(limits)}" if limits else f"up to {cores} threads"
    yield Finding(True, f"BLAS {blas.get('name', '?')} {blas.get('version', '?')}, {threads}")
    enough = cores >= 2
    advice = "" if enough else ": the parallel kernels have nothing to share the work with"
    yield Finding(enough, f"{cores} core{'s' if cores > 1 else ''}{advice}", required=False)


def _kernel() -> Finding:
    """Grading starts its own kernel; JupyterLab needs the kernelspec."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Finding(False, "no kernelspec python3: run `python -m ipykernel install --user`")
    command = spec.argv[0]
    if os.path.isabs(command) and not os.path.exists(command):
        text = f"kernelspec python3 names {command}, which is not there"
        return Finding(False, f"{text}: run `python -m ipykernel install --user`")
    return Finding(True, f"kernelspec python3 in {spec.resource_dir}")


def _sandbox() -> Finding:
    """Grading needs it, unless submissions are trusted."""
    try:
        from tinytorch.course.sandbox import problem
    except ModuleNotFoundError as error:
        return Finding(False, f"{error.name} is missing: {_INSTALL}")
    missing = problem()
    if not missing:
        return Finding(True, f"submissions run in a sandbox of bubblewrap's, {_limits()}")
    ways = "see docs/container.md, or trust the submissions (docs/grading.md)"
    return Finding(False, f"no sandbox for submissions: {missing.rstrip('.')}; {ways}")


def _limits() -> str:
    """What keeps all processes of a sandbox together in bounds."""
    from tinytorch.course import groups

    group = groups.make(1 << 30, 100)
    if group is None:
        return "its memory and processes watched (no control group can be made here)"
    group.close()
    return f"its memory and processes limited by a control group (version {group.version})"


def _account() -> Iterator[Finding]:
    """A sandbox's processes belong to whoever grades."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        text = "you are root, and so is a submission that gets out of the sandbox: grade as a user"
        yield Finding(False, f"{text} who owns the course alone (docs/grading.md)", required=False)


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free
    text = f"{free / 1e9:.1f} GB free at {root}"
    if free >= SPACE_NEEDED:
        return Finding(True, text)
    return Finding(False, f"{text}: make room, grading a class needs about 1 GB", required=False)


def _writable(project: Project) -> Iterator[Finding]:
    """Folders and the gradebook, where they exist: what cannot be written cannot be graded."""
    names = ("", "release", "autograded", "feedback", "build", "gradebook.db")
    for path in (project.root / name for name in names):
        if path.exists() and not os.access(path, os.W_OK):
            yield Finding(False, f"{path} cannot be written to: change its permissions")


def _course(project: Project) -> Iterator[Finding]:
    path = project.root / "nbgrader_config.py"
    try:
        project.nbgrader_config()
    except Exception as error:  # the file is Python, so anything may go wrong in it
        yield Finding(False, f"{path} cannot be loaded ({type(error).__name__}: {error})")
        return
    yield Finding(True, f"{path}")
    from tinytorch.course.build import build

    try:
        stale = build(project, check=True)
    except CourseError as error:
        yield Finding(False, str(error))
        return
    if stale:
        names = ", ".join(str(p.relative_to(project.root)) for p in stale)
        yield Finding(False, f"older than the lesson: {names}: run `tito build`, `tito release`")
    else:
        yield Finding(True, "notebook, exported module and release are as new as the lesson")
