"""nbgrader's step that runs a submission: by a judge and in a sandbox, or as trusted in a kernel.

What formgrader's button and `nbgrader autograde` call; `tito grade` has tasks instead (task.py).
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from traitlets import Bool, Float, Integer

from tinytorch.course import compiled, sandbox
from tinytorch.course.isolation import IsolatedExecute, course_of, read_source, say_trusted
from tinytorch.course.judging import GraderFault, Limits, judge_notebook
from tinytorch.course.nurseries import end_nurseries, nursery_of
from tinytorch.course.project import CourseError

_USUAL = Limits()


class JudgedExecute(IsolatedExecute):
    """Run a submission for nbgrader; takes the place of its Execute."""

    trust_submissions = Bool(
        False, help="Run them without a sandbox, the tests in the same kernel as their code."
    ).tag(config=True)
    submission = Float(_USUAL.submission, help="Seconds for a whole submission.").tag(config=True)
    wall = Float(_USUAL.wall, help="Seconds for a cell.").tag(config=True)
    call = Float(_USUAL.call, help="Seconds for one call of a student's function.").tag(config=True)
    cpu = Float(_USUAL.cpu, help="Seconds of processor time for a cell.").tag(config=True)
    memory = Integer(_USUAL.memory, help="Bytes for a submission's processes.").tag(config=True)
    tasks = Integer(_USUAL.tasks, help="Processes and threads of a submission.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run the cells; every test cell gets a verdict, if only that it did not run."""
        if self.trust_submissions:
            self.log.warning("%s", "No sandbox: submissions are trusted (--trust-submissions)")
            nb, resources = super().preprocess(nb, resources, km)
            say_trusted(nb)
            return nb, resources
        project, facts = self.project or course_of(self), resources["nbgrader"]
        source = self.source or read_source(project, facts["assignment"])
        if self.trusted and compiled.missing(project, source):
            # What runs in a sandbox cannot keep what it compiles, and every submission would
            # compile the package's helpers anew. What this run gets does not matter.
            super().preprocess(deepcopy(nb), resources, km)
        limits = Limits(**{name: getattr(self, name) for name in Limits.__dataclass_fields__})
        seed, files = self._seed(project, facts), _companions(resources)
        for last in (False, True):
            try:
                nursery = nursery_of(project, source)
                judge_notebook(nb, source, nursery, seed, files, limits)
                return nb, resources
            except sandbox.NoSandbox as error:
                raise CourseError(str(error)) from error
            except GraderFault as fault:
                end_nurseries()
                if last:
                    raise CourseError(f"The grading failed, not the student: {fault}") from fault
        raise AssertionError("one of the two tries ends this")


def _companions(resources: dict[str, Any]) -> dict[str, bytes]:
    """What lies beside the notebook; the intake has looked at it before it was put there."""
    folder = Path(resources.get("metadata", {}).get("path") or "")
    if not folder.is_absolute():
        return {}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.suffix != ".ipynb"
    }
