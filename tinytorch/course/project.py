"""Where a course's files live, and the error that is shown to a person.

Nothing here builds, releases or grades: see the other modules of this package.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traitlets.config import Config

CONFIG_NAME = "nbgrader_config.py"


class CourseError(Exception):
    """Something the reader of the message can put right; the message says how."""


@dataclass(frozen=True)
class Project:
    """A course folder: the one that holds nbgrader_config.py and modules/source."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """Return the course around `start` (default: the working directory).

        Raises CourseError if neither `start` nor a folder above it is a course folder.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / CONFIG_NAME).is_file() and (folder / "modules" / "source").is_dir():
                return cls(folder)
        raise CourseError(
            f"No course folder at or above {here}: none of them holds {CONFIG_NAME} and "
            "modules/source. Change into the course folder, or name it with --root."
        )

    @property
    def source(self) -> Path:
        """The folder with one folder per assignment, solutions included."""
        return self.root / "modules" / "source"

    @property
    def package(self) -> Path:
        """The package that learners import."""
        return self.root / "tinytorch"

    @property
    def exported(self) -> Path:
        """The module that the lesson's notebook is exported to."""
        return self.package / "core" / "kernels.py"

    @property
    def release(self) -> Path:
        """The folder of what students get, one folder per assignment."""
        return self.root / "release"

    @property
    def submitted(self) -> Path:
        """The folder of what students handed in: <student>/<assignment>."""
        return self.root / "submitted"

    @property
    def autograded(self) -> Path:
        """The folder of executed and scored submissions: <student>/<assignment>."""
        return self.root / "autograded"

    @property
    def feedback(self) -> Path:
        """The folder of feedback pages: <student>/<assignment>."""
        return self.root / "feedback"

    @property
    def build(self) -> Path:
        """The folder of what can be made again: student kits, the demo."""
        return self.root / "build"

    @property
    def gradebook_url(self) -> str:
        """The gradebook's address, as SQLAlchemy writes it: c.CourseDirectory.db_url, or a file."""
        config = self.root / CONFIG_NAME
        stamp = config.stat().st_mtime_ns if config.is_file() else 0
        named = _named_gradebook(self, stamp)
        return named or f"sqlite:///{self.root.resolve() / 'gradebook.db'}"

    @property
    def gradebook_place(self) -> str:
        """The gradebook as a person is told of it: a path, or an address without its password."""
        from sqlalchemy import make_url

        url = make_url(self.gradebook_url)
        is_file = url.get_backend_name() == "sqlite" and url.database
        return str(url.database) if is_file else url.render_as_string(hide_password=True)

    def assignments(self) -> list[str]:
        """Names of the folders under `source` that hold a lesson (*_dev.py), sorted."""
        return sorted({script.parent.name for script in self.source.glob("*/*_dev.py")})

    def assignment(self, name: str) -> Path:
        """Return the source folder of an assignment; CourseError if there is none."""
        known = self.assignments()
        if name not in known:
            raise CourseError(
                f"There is no assignment {name!r} in {self.source}. "
                f"It has: {', '.join(known) or 'none (an assignment holds a *_dev.py)'}."
            )
        return self.source / name

    def script(self, name: str) -> Path:
        """Return the assignment's lesson in py:percent form, the source of truth."""
        folder = self.assignment(name)
        scripts = sorted(folder.glob("*_dev.py"))
        if len(scripts) != 1:
            raise CourseError(
                f"{folder} holds {len(scripts)} lessons ({', '.join(p.name for p in scripts)}). "
                "Keep one *_dev.py in it: its name is the notebook's."
            )
        return scripts[0]

    def notebook(self, name: str) -> Path:
        """Return where the lesson's notebook belongs, whether it is built or not."""
        return self.script(name).with_suffix(".ipynb")

    def kit(self, name: str) -> Path:
        """Return where the student kit belongs, whether it is built or not."""
        return self.build / f"{name}_student.zip"

    def nbgrader_config(self) -> "Config":
        """Load nbgrader_config.py for this course, whatever the working directory is.

        Raises CourseError if the file cannot be run.
        """
        from traitlets.config import Config, PyFileConfigLoader

        try:
            loader = PyFileConfigLoader(CONFIG_NAME, path=str(self.root))
            config = Config(loader.load_config())
        except Exception as error:
            raise CourseError(
                f"{self.root / CONFIG_NAME} cannot be used ({type(error).__name__}: {error})."
            ) from error
        config.CourseDirectory.root = str(self.root.resolve())
        return config


@functools.lru_cache(maxsize=32)
def _named_gradebook(project: Project, stamp: int) -> str:
    """Return the address that nbgrader_config.py names, or ""; `stamp` is the file's time."""
    if not stamp:
        return ""
    return str(project.nbgrader_config().CourseDirectory.get("db_url", ""))
