"""Packs the student kit: a released assignment with all that a student needs to work on it.

What a student may see of tinytorch is decided here; what of the notebook, by release.py.
"""

import io
import re
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from string import Template
from typing import Any

from tinytorch.course.files import write_whole
from tinytorch.course.lesson import script_text
from tinytorch.course.project import CourseError, Project

TEMPLATES = Path(__file__).parent / "templates"
# nbdev's companions and jsonschema are here for their version limits, see pyproject.toml.
STUDENT_NEEDS = (
    "numpy",
    "numba",
    "matplotlib",
    "jupyterlab",
    "notebook",
    "jupytext",
    "nbgrader",
    "nbdev",
    "execnb",
    "fastcore",
    "ghapi",
    "jsonschema",
)
_FROM_TEMPLATE = {"README.md": "kit_readme.md", "pyproject.toml": "kit_pyproject.toml"}
_PUBLIC = ("core", "lab", "data")
_NEVER = ("__pycache__", "*.pyc", ".*", "_modidx.py")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def student_package(project: Project, dest: Path) -> None:
    """Copy the tinytorch that a student may see to <dest>/tinytorch.

    core without kernels.py, lab, data and the package's own files; nothing of course. `dest` is
    the folder to put on sys.path. Raises CourseError if <dest>/tinytorch exists already.
    """
    target = dest / "tinytorch"
    if target.exists():
        raise CourseError(f"{target} exists already: name a folder without a tinytorch.")
    target.mkdir(parents=True)
    for file in (*sorted(project.package.glob("*.py")), project.package / "py.typed"):
        if file.is_file() and file.name != "_modidx.py":
            shutil.copyfile(file, target / file.name)
    for name in _PUBLIC:
        if (project.package / name).is_dir():
            shutil.copytree(
                project.package / name, target / name, ignore=shutil.ignore_patterns(*_NEVER)
            )
    (target / project.exported.relative_to(project.package)).unlink(missing_ok=True)


def build_kit(project: Project, assignment: str) -> Path:
    """Write the kit of a released assignment to build/<assignment>_student.zip; return its path.

    The same release gives the same bytes. Raises CourseError if nothing has been released.
    """
    content = kit_bytes(project, assignment, project.release / assignment)
    target = project.kit(assignment)
    write_whole(target, content)
    return target


def unpack_kit(project: Project, assignment: str, fresh: bool = False) -> Path:
    """Unpack the kit below build/student; return its folder.

    A folder that is there already may hold somebody's work: it stays as it is unless `fresh`.
    """
    kit = project.kit(assignment)
    if not kit.is_file():
        raise CourseError(f"{kit} is missing: run `tito release {assignment}` first.")
    folder = project.build / "student" / f"tinytorch-{assignment}"
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.is_dir():
        with zipfile.ZipFile(kit) as archive:
            archive.extractall(folder.parent)
    return folder


def kit_bytes(project: Project, assignment: str, released: Path) -> bytes:
    """Return the zip of the kit made from the folder `released`; reads, writes nothing there."""
    notebook = released / project.notebook(assignment).name
    if not notebook.is_file():
        raise CourseError(f"{notebook} is missing: run `tito release {assignment}` first.")
    top = f"tinytorch-{assignment}"
    for needed in (project.root / "settings.ini", project.source / "jupytext.toml"):
        if not needed.is_file():
            raise CourseError(f"{needed} is missing: the kit needs it.")
    with tempfile.TemporaryDirectory(prefix="tinytorch-kit-") as scratch:
        folder = Path(scratch) / top
        folder.mkdir()
        student_package(project, folder)
        _add_lesson(project, assignment, released, folder)
        _add_settings(project, assignment, folder)
        return _zipped(Path(scratch))


def _add_lesson(project: Project, assignment: str, released: Path, folder: Path) -> None:
    """The released files, the notebook's paired .py, and the rules of the pairing."""
    import nbformat

    target = folder / "modules" / "source" / assignment
    shutil.copytree(released, target, ignore=shutil.ignore_patterns(*_NEVER))
    script = project.script(assignment)
    notebook = nbformat.read(target / script.with_suffix(".ipynb").name, as_version=4)
    (target / script.name).write_text(script_text(notebook, script), encoding="utf-8")
    shutil.copyfile(project.source / "jupytext.toml", target.parent / "jupytext.toml")


def _add_settings(project: Project, assignment: str, folder: Path) -> None:
    metadata = _metadata(project)
    script = PurePosixPath("modules/source", assignment, project.script(assignment).name)
    words = {
        "assignment": assignment,
        "notebook": str(script.with_suffix(".ipynb")),
        "script": str(script),
        "python": metadata["requires-python"],
        "pythons": _pythons(metadata["requires-python"]),
        "version": metadata["version"],
    }
    for name, template in _FROM_TEMPLATE.items():
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        (folder / name).write_text(Template(text).substitute(words), encoding="utf-8")
    (folder / "requirements.txt").write_text(
        "".join(f"{line}\n" for line in _requirements(project, metadata)), encoding="utf-8"
    )
    shutil.copyfile(project.root / "settings.ini", folder / "settings.ini")


def _pythons(limits: str) -> str:
    """'>=3.11,<3.14' for a person: 3.11, 3.12 or 3.13."""
    first, end = (int(minor) for minor in re.findall(r"3\.(\d+)", limits))
    *some, last = [f"3.{minor}" for minor in range(first, end)]
    return f"{', '.join(some)} or {last}" if some else last


def _metadata(project: Project) -> dict[str, Any]:
    path = project.root / "pyproject.toml"
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise CourseError(
            f"{path} is needed for the kit's versions and cannot be used: {error}."
        ) from error
    return table


def _requirements(project: Project, metadata: dict[str, Any]) -> Iterator[str]:
    """One line per package: its pin in constraints.txt, else its limits in pyproject.toml."""
    extras = metadata["optional-dependencies"]
    limits = _by_name((*metadata["dependencies"], *extras["lab"], *extras["course"]))
    constraints = project.root / "constraints.txt"
    lines = constraints.read_text(encoding="utf-8").splitlines() if constraints.is_file() else []
    pins = _by_name(line.partition("#")[0].strip() for line in lines)
    for name in STUDENT_NEEDS:
        yield pins.get(name) or limits.get(name) or name


def _by_name(requirements: Any) -> dict[str, str]:
    found = {}
    for requirement in requirements:
        if name := re.match(r"[A-Za-z0-9._-]+", requirement):
            found[name.group().lower().replace("_", "-")] = requirement
    return found


def _zipped(folder: Path) -> bytes:
    """All files below `folder`, sorted and without dates, so that equal content is equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: otherwise the bytes tell which system made them
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())
    return buffer.getvalue()
