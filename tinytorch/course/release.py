"""Releases an assignment: nbgrader cuts the solutions out, nothing may leak, the kit is packed.

What the kit holds is decided by kit.py; how the stubs read, by nbgrader_config.py.
"""

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tinytorch.course.build import build
from tinytorch.course.kit import build_kit, kit_bytes
from tinytorch.course.lesson import HIDDEN, SOLUTION, notebook_text, read_lesson, regions
from tinytorch.course.project import CONFIG_NAME, CourseError, Project

# Shorter lines ("return out", "for i in range(m):") are everybody's.
SIGNIFICANT = 12


@dataclass(frozen=True)
class ReleaseReport:
    """What was released. `points` are those of the tests; written questions are not counted."""

    notebook: Path
    kit: Path
    answer_cells: int
    test_cells: int
    points: float


def release(project: Project, assignment: str) -> ReleaseReport:
    """Build, cut out the solutions, check for leaks, pack the kit.

    Raises CourseError, and leaves neither release nor kit behind, if anything of a solution or
    of a hidden test would have reached a student.
    """
    source = project.notebook(assignment)
    others = sorted(path.name for path in source.parent.glob("*.ipynb") if path != source)
    if others:
        raise CourseError(
            f"{source.parent} holds other notebooks ({', '.join(others)}), and nbgrader would "
            f"release them too. Move away all but {source.name}."
        )
    build(project)
    folder = project.release / assignment
    with _kept_if_refused(folder):
        generate(project, assignment)
    try:
        kit = build_kit(project, assignment)
        leaks = check_leaks(folder, source) + check_leaks(kit, source)
        if leaks:
            shown = "\n".join(f"  {leak}" for leak in leaks[:8])
            raise CourseError(
                f"The release of {assignment} would show students what they must not see, "
                f"so it was removed:\n{shown}\n"
                "Put the line inside the solution or hidden-test markers, or write it otherwise "
                "where students see it; then release again."
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        project.kit(assignment).unlink(missing_ok=True)
        raise
    answers, tests, points = _counts(source)
    return ReleaseReport(folder / source.name, kit, answers, tests, points)


def generate(project: Project, assignment: str, record: bool = True) -> Path:
    """Run nbgrader's generate_assignment on the built notebook; return release/<assignment>.

    record: whether the gradebook learns of the cells, as grading needs. Raises CourseError with
    nbgrader's own reason if it fails.
    """
    from nbgrader.apps import NbGraderAPI

    config = project.nbgrader_config()
    if not record:
        steps = config.GenerateAssignment.preprocessors
        config.GenerateAssignment.preprocessors = [s for s in steps if not s.endswith("SaveCells")]
        config.GenerateAssignment.no_database = True
    api = NbGraderAPI(config=config)
    result = api.generate_assignment(assignment, force=True, create=True)
    folder = project.release / assignment
    if not result["success"] or not folder.is_dir():
        raise CourseError(_reason(assignment, result))
    return folder


@contextmanager
def _kept_if_refused(folder: Path) -> Iterator[None]:
    """Put an earlier release back if nbgrader refuses to make a new one: it deletes first."""
    with tempfile.TemporaryDirectory(prefix="tinytorch-earlier-") as scratch:
        earlier = Path(scratch) / folder.name
        if folder.is_dir():
            shutil.copytree(folder, earlier)
        try:
            yield
        except CourseError:
            # What cannot be written here could not be deleted either: it still stands.
            with suppress(OSError):
                if earlier.is_dir():
                    shutil.copytree(earlier, folder, dirs_exist_ok=True)
            raise


def stale_releases(project: Project) -> list[Path]:
    """Return released files and kits that exist and differ from what a release would make now.

    Writes nothing in the course.
    """
    stale: list[Path] = []
    for name in project.assignments():
        released, kit = project.release / name, project.kit(name)
        if not released.is_dir() and not kit.is_file():
            continue
        with tempfile.TemporaryDirectory(prefix="tinytorch-release-") as scratch:
            copy = _course_copy(project, name, Path(scratch).resolve())
            fresh = generate(copy, name, record=False)
            if released.is_dir():
                stale += [released / path for path in _differing(released, fresh)]
            if kit.is_file() and kit.read_bytes() != kit_bytes(project, name, fresh):
                stale.append(kit)
    return stale


def check_leaks(released: Path, source_notebook: Path) -> list[str]:
    """Return one sentence for every line of a solution or hidden test found in `released`.

    released: a folder, a zip or a file. A line counts if it has at least 12 characters without
    its spaces and stands nowhere in the visible part of the source notebook. Marker lines, and
    the exported module by its name, are leaks too. In the hand-written tinytorch a line may
    coincide: there it takes half the lines of a cell in one file.
    """
    secrets = _secrets(source_notebook)
    leaks = []
    for name, text in _texts(released):
        packed = _packed(text)
        if name.endswith("core/kernels.py"):
            leaks.append(f"{name} is the exported solution")
        leaks += [f"{name} holds a line {marker}" for marker in _MARKERS if marker in text]
        by_hand = "tinytorch" in PurePosixPath(name).parts
        for grade_id, lines in secrets.items():
            found = [line for line in lines if _packed(line) in packed]
            if found and not (by_hand and 2 * len(found) < len(lines)):
                leaks += [f"{name} holds a line of {grade_id}: {line}" for line in found]
    return leaks


_MARKERS = tuple(marker.removeprefix("### ") for marker in (*SOLUTION, *HIDDEN))


def _packed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _cells(notebook: Path) -> list[dict[str, Any]]:
    import nbformat

    return list(nbformat.read(notebook, as_version=4).cells)


def _meta(cell: dict[str, Any]) -> dict[str, Any]:
    return dict(cell["metadata"].get("nbgrader", {}))


def _secrets(notebook: Path) -> dict[str, list[str]]:
    """By grade_id, the lines that only a solution or a hidden test holds."""
    hidden: dict[str, list[str]] = {}
    visible: list[str] = []
    for cell in _cells(notebook):
        meta = _meta(cell)
        if meta.get("solution") and cell["cell_type"] != "code":
            blocks, around = [cell["source"]], ""
        else:
            solutions, around = regions(cell["source"], SOLUTION)
            tests, around = regions(around, HIDDEN)
            blocks = solutions + tests
        visible.append(_packed(around))
        lines = [line.strip() for block in blocks for line in block.split("\n")]
        hidden.setdefault(meta.get("grade_id", ""), []).extend(lines)
    shown = "\n".join(visible)
    return {
        grade_id: [
            line
            for line in lines
            if len(_packed(line)) >= SIGNIFICANT and _packed(line) not in shown
        ]
        for grade_id, lines in hidden.items()
    }


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of a file, of all files below a folder, or of all members of a zip.

    Names are relative to the folder: what the folders above it are called decides nothing.
    """
    if path.is_dir():
        for file in sorted(file for file in path.rglob("*") if file.is_file()):
            for name, text in _texts(file):
                yield (file.relative_to(path).parent / name).as_posix(), text
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name, _plain(name, archive.read(name))
    else:
        yield path.name, _plain(path.name, path.read_bytes())


def _plain(name: str, content: bytes) -> str:
    """The text of a file; of a notebook, its strings as they read once JSON is undone."""
    text = content.decode("utf-8", errors="replace")
    if not name.endswith(".ipynb"):
        return text
    strings: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, str):
            strings.append(value)
        elif isinstance(value, list):
            for item in value:
                collect(item)
        elif isinstance(value, dict):
            for item in value.values():
                collect(item)

    collect(json.loads(text))
    return "\n".join(strings)


def _counts(notebook: Path) -> tuple[int, int, float]:
    answers = tests = 0
    points = 0.0
    for cell in _cells(notebook):
        meta = _meta(cell)
        if cell["cell_type"] != "code" or not meta:
            continue
        answers += bool(meta["solution"])
        if meta["grade"] and not meta["solution"]:
            tests += 1
            points += meta["points"]
    return answers, tests, points


def _course_copy(project: Project, assignment: str, root: Path) -> Project:
    """A course in `root` that holds one lesson, freshly built."""
    copy = Project(root)
    shutil.copytree(project.assignment(assignment), copy.source / assignment)
    shutil.copyfile(project.root / CONFIG_NAME, root / CONFIG_NAME)
    script = project.script(assignment)
    copy.notebook(assignment).write_text(
        notebook_text(read_lesson(script), script), encoding="utf-8"
    )
    return copy


def _differing(have: Path, want: Path) -> list[Path]:
    """Relative paths of the files that are in one folder only, or differ.

    JupyterLab's checkpoints and other hidden files are nobody's release.
    """

    def contents(top: Path) -> dict[Path, bytes]:
        files = {file.relative_to(top): file for file in top.rglob("*") if file.is_file()}
        return {
            name: file.read_bytes()
            for name, file in files.items()
            if not any(part.startswith(".") for part in name.parts)
        }

    old, new = contents(have), contents(want)
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _reason(assignment: str, result: dict[str, Any]) -> str:
    """nbgrader's failure in a sentence, with the way out where it is known."""
    log = str(result.get("log", "")) + "\n" + str(result.get("error", ""))
    found = re.findall(r"^\s*[\w.]*(?:Error|Exception|Entry): .*$", log, re.MULTILINE)
    reason = found[0].strip() if found else (log.strip().split("\n")[-1] or "it said nothing")
    if "Cannot add or remove cells" in log or "Cannot modify existing assignment" in log:
        return (
            f"{assignment} has graded submissions, and its graded cells have changed since: "
            "their scores would no longer fit. Put the old cells back; or move gradebook.db away, "
            "release, and grade everybody again."
        )
    return f"nbgrader could not generate {assignment}: {reason}"
