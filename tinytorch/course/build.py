"""Makes a lesson's notebook and its exported module from the lesson's .py, or tells what is stale.

Releases are made by release.py.
"""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tinytorch.course.export import exported_text
from tinytorch.course.files import write_whole
from tinytorch.course.lesson import notebook_text, read_lesson
from tinytorch.course.lint import refuse_tests
from tinytorch.course.project import CourseError, Project


def build(project: Project, check: bool = False) -> list[Path]:
    """Make every notebook and the exported module; return the files that changed.

    check: write nothing, and return the files that are missing or differ from what would be
    made, existing releases and student kits included. Raises CourseError if a lesson is not
    valid; then nothing has been written.
    """
    if not project.assignments():
        raise CourseError(f"{project.source} holds no lesson: expected <assignment>/<name>_dev.py.")
    made = dict(_made(project))
    if check:
        from tinytorch.course.release import stale_releases

        stale = [path for path, text in made.items() if _differs(path, text)]
        return stale + stale_releases(project)
    changed = [path for path, text in made.items() if write_whole(path, text.encode())]
    for name in project.assignments():
        _keep_script_newest(project.script(name))
    return changed


def _made(project: Project) -> Iterator[tuple[Path, str]]:
    """Everything that is made from the lessons, as (path, text)."""
    for name in project.assignments():
        script, notebook = project.script(name), project.notebook(name)
        lesson = read_lesson(script)
        refuse_tests(lesson, script)
        text = notebook_text(lesson, script)
        place = PurePosixPath(notebook.relative_to(project.root).as_posix())
        yield notebook, text
        yield project.exported, exported_text(text.encode(), place, script)


def _differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_bytes() != text.encode()


def _keep_script_newest(script: Path) -> None:
    """JupyterLab refuses to open a pair whose notebook is newer than its .py."""
    if script.stat().st_mtime_ns <= script.with_suffix(".ipynb").stat().st_mtime_ns:
        os.utime(script)
