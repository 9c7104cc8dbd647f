"""One submission, run in a kernel that finds neither the reference nor the course by name.

The student's code and the tests share that kernel, so this keeps honest grades honest and stops
the plain ways of copying; docs/grading.md lists what it does not stop. Scores are not decided
here, and no gradebook is touched.
"""

import ast
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader import utils
from nbgrader.preprocessors import Execute
from traitlets import Integer
from traitlets.config import Configurable

from tinytorch.course import compiled, seeds
from tinytorch.course.guard import refusal
from tinytorch.course.kit import student_package
from tinytorch.course.lesson import HIDDEN, tested_answer
from tinytorch.course.project import CourseError, Project

UNGRADED = "ungraded"
CELL = 20  # seconds that one cell may run, by default
_LEAST = 3.0  # seconds that a cell may run, after however many of its answer's that hung
TOMBSTONE = (
    "raise ModuleNotFoundError(\n"
    '    "tinytorch.core.kernels is what you are building: it is not available while grading"\n'
    ")\n"
)
# What a kernel needs from the grader's environment; everything else stays outside.
_PASSED_ON = {
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMBA_THREADING_LAYER",
}
# An installed copy of the course, and the files that say where an editable one lives.
_HIDDEN_PACKAGES = ("tinytorch", "__editable__", "_editable_impl")


@dataclass(frozen=True)
class Room:
    """Where one submission runs: its working folder, its package, environment and kernel's log."""

    work: Path
    package: Path
    environment: dict[str, str]
    log: Path


def course_of(configurable: Configurable) -> Project:
    """Return the course that a preprocessor was started for, found through its parents."""
    node: Any = configurable
    while node is not None:
        coursedir = getattr(node, "coursedir", None)
        if coursedir is not None:
            return Project(Path(coursedir.root))
        node = getattr(node, "parent", None)
    raise CourseError("This preprocessor runs inside nbgrader only: no course folder is set.")


def is_test(cell: NotebookNode) -> bool:
    """Say whether nbgrader scores this cell by running it."""
    return cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)


def is_hidden(cell: NotebookNode) -> bool:
    """Say whether a test cell's source is not for students."""
    return is_test(cell) and (
        HIDDEN[0] in cell.source or "_hidden" in cell.metadata.nbgrader["grade_id"]
    )


def is_ungraded(cell: NotebookNode) -> bool:
    """Say whether a cell is tagged as an experiment that grading leaves out."""
    return UNGRADED in cell.metadata.get("tags", [])


def read_source(project: Project, assignment: str) -> NotebookNode:
    """Return the instructor's notebook, solutions and hidden tests included."""
    path = project.notebook(assignment)
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises what the JSON inside makes it raise
        raise CourseError(
            f"{path} cannot be read ({type(error).__name__}: {error}). Run `tito build`."
        ) from error


def named_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return the cells that nbgrader knows, by grade_id, in their order."""
    named = ((cell.metadata.get("nbgrader", {}).get("grade_id"), cell) for cell in notebook.cells)
    return {grade_id: cell for grade_id, cell in named if grade_id}


def say_trusted(notebook: NotebookNode) -> None:
    """Put on top of a graded notebook, and so of every page of it, that there was no sandbox."""
    text = "**This submission was trusted: it was graded without a sandbox (--trust-submissions).**"
    notebook.cells.insert(0, new_markdown_cell(text, id="without-a-sandbox"))


def _site_packages() -> list[Path]:
    names = {"site-packages", "dist-packages"}
    return [Path(entry) for entry in sys.path if Path(entry).name in names]


def _mirror(folder: Path, mirror: Path) -> None:
    """Link to all that is installed in `folder` except what leads to the course."""
    mirror.mkdir()
    for entry in folder.iterdir():
        if entry.suffix != ".pth" and not entry.name.startswith(_HIDDEN_PACKAGES):
            (mirror / entry.name).symlink_to(entry, target_is_directory=entry.is_dir())


def _copy_companions(source: Path, work: Path) -> None:
    """Copy what a submission brings besides notebooks, links and packages of its own."""
    for path in source.rglob("*"):
        relative = path.relative_to(source)
        if path.suffix == ".ipynb" or path.is_symlink() or relative.parts[0] == "tinytorch":
            continue
        if path.is_file():
            (work / relative.parent).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, work / relative)


def _environment(home: Path, python_path: list[Path]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k in _PASSED_ON or k.startswith("LC_")}
    return kept | {
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONPATH": os.pathsep.join(map(str, python_path)),
    }


@contextmanager
def grading_room(project: Project, companions: Path | None = None) -> Iterator[Room]:
    """Make a fresh folder with the student's package and nothing of the course; remove it after.

    `companions`: the submission's folder, whose files other than notebooks are copied in.
    """
    with tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True) as name:
        room = Path(name)
        work, home, package = room / "work", room / "home", room / "package"
        for folder in (work, home, package):
            folder.mkdir()
        student_package(project, package)
        (package / "tinytorch" / "core" / "kernels.py").write_text(TOMBSTONE)
        compiled.copy_into(project, package)
        mirrors = []
        for index, folder in enumerate(_site_packages()):
            if folder.is_dir():
                mirrors.append(room / f"site{index}")
                _mirror(folder, mirrors[-1])
        if companions is not None:
            _copy_companions(companions, work)
        # The student's own modules come last: they may be imported, and replace nothing.
        yield Room(work, package, _environment(home, [package, *mirrors]), room / "kernel.log")


class _BareKernel(KernelSpecManager):
    """The one kernel that grades: no site module, so no .pth file puts the course on the path."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        command = [sys.executable, "-S", "-P", "-m", "ipykernel_launcher"]
        # The student's own modules come last, and only once the kernel stands.
        work = "import os, sys; sys.path.append(os.getcwd()); del os, sys"
        help_ = "import builtins, _sitebuiltins; builtins.help = _sitebuiltins._Helper()"
        command.append(f"--IPKernelApp.exec_lines={help_}; del builtins, _sitebuiltins")
        command.append(f"--IPKernelApp.exec_lines={work}")
        return KernelSpec(
            argv=[*command, "-f", "{connection_file}"], display_name="Python 3", language="python"
        )


def _error(name: str, message: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])


class IsolatedExecute(Execute):
    """Run a submission for nbgrader; a test that did not run fails, whatever the reason.

    Takes the place of nbgrader's Execute in Autograde.autograde_preprocessors.
    """

    timeout = Integer(CELL, allow_none=True, help="Seconds that one cell may run.").tag(config=True)
    max_restarts = Integer(
        100, help="How many dead kernels a submission may leave behind before its grading ends."
    ).tag(config=True)
    seed = Integer(
        None,
        allow_none=True,
        min=0,
        max=seeds.LARGEST,
        help="What hidden tests draw their instances from. By default the seed of the student's "
        "last grading, and for a first grading one that is drawn for this run.",
    ).tag(config=True)
    max_output = Integer(100_000, help="Characters of output kept of one cell.").tag(config=True)

    project: Project | None = None  # set where there is no nbgrader application around
    source: NotebookNode | None = None  # the instructor's notebook, if not the project's
    trusted = False  # the reference: what it compiles may be used by others

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Nothing of a graded kernel is worth waiting for, and a widget's state is only bulk.
        super().__init__(*args, **kwargs)
        self.shutdown_kernel = "immediate"
        self.store_widget_state = False
        self.record_timing = False

    def __call__(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run the notebook; mark the tests of a refused one, or under --no-execute, as not run."""
        refused = refusal(self)
        if self.enabled and not refused:
            return self.preprocess(nb, resources)
        self._expect_nothing(nb, refused or "execution was switched off (--no-execute)")
        return nb, resources

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run every cell that counts, with a new kernel after each one that a cell killed."""
        project = self.project or course_of(self)
        self._due = self._cells_to_run(project, nb, resources)
        self._settled: set[int] = set()  # tests with a verdict
        self._stopped: set[int] = set()  # cells that hung or killed a kernel
        self._hangs: Counter[str] = Counter()  # how often each answer did not come back
        self._expect_nothing(nb, "the grading ended before it")
        self.timeout_func = self._time_for
        folder = resources.get("metadata", {}).get("path")
        seed = self._seed(project, resources["nbgrader"])
        with grading_room(project, Path(folder) if folder else None) as self._room:
            self._room.environment[seeds.VARIABLE] = str(seed)
            self._run_with_restarts(nb, resources)
            if self.trusted:
                compiled.keep(project, self._room.package)
        return nb, resources

    def _time_for(self, cell: NotebookNode) -> float | None:
        """Say how many seconds a cell may run: less, the more often its answer has hung."""
        if not self.timeout:
            return None
        seconds = max(min(_LEAST, self.timeout), self.timeout * 0.5 ** self._hangs[_answer(cell)])
        said = f"Stopped after {seconds:g} s: is there a loop that never ends?"
        self.error_on_timeout = {"ename": "CellTimeoutError", "evalue": "", "traceback": [said]}
        return seconds

    def _seed(self, project: Project, facts: dict[str, str]) -> int:
        """Choose what the hidden tests draw from; keep it with a student's grade."""
        student = facts.get("student")
        former = seeds.recorded(project, facts["assignment"], student) if student else None
        known = (self.seed, former, seeds.of_this_run())
        seed = next(number for number in known if number is not None)
        if student:
            seeds.record(project, facts["assignment"], student, seed)
        return seed

    def _cells_to_run(
        self, project: Project, nb: NotebookNode, resources: dict[str, Any]
    ) -> set[int]:
        """Leave out experiments; the instructor's tags decide where the instructor has the cell."""
        source = self.source or read_source(project, resources["nbgrader"]["assignment"])
        known = named_cells(source)
        due = set()
        for index, cell in enumerate(nb.cells):
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if is_test(cell) or not is_ungraded(known.get(grade_id, cell)):
                due.add(index)
        return due

    def _expect_nothing(self, nb: NotebookNode, reason: str) -> None:
        for cell in nb.cells:
            if is_test(cell):
                cell.metadata.pop("tags", None)  # nbclient skips cells by tag
                cell.outputs = [_error("DidNotRun", f"this test cell did not run: {reason}")]

    def _run_with_restarts(self, nb: NotebookNode, resources: dict[str, Any]) -> None:
        for _ in range(self.max_restarts + 1):
            self._running: int | None = None
            try:
                super().preprocess(nb, resources)
                return
            except (RuntimeError, OSError) as error:
                if self._running is None:
                    raise CourseError(self._start_failure(error)) from error
                if not isinstance(error, DeadKernelError | CellTimeoutError):
                    raise
                self._blame(nb, error)
        reason = f"the kernel had died {self.max_restarts + 1} times before it"
        for index, cell in enumerate(nb.cells):
            if is_test(cell) and index not in self._settled:
                cell.outputs = [_error("DidNotRun", f"this test cell did not run: {reason}")]

    def _start_failure(self, error: Exception) -> str:
        log = self._room.log
        lines = log.read_text(errors="replace").split("\n") if log.is_file() else []
        last = [line.strip() for line in lines if line.strip()][-3:]
        said = f" It said: {' / '.join(last)}" if last else ""
        return f"The kernel that grades did not start ({error}).{said} Run `tito doctor`."

    def _blame(self, nb: NotebookNode, error: Exception) -> None:
        """Note the cell that ended the kernel, so that it is not run again.

        Of a cell that left a timer behind, the cell that was running when it struck.
        """
        assert self._running is not None
        self._stopped.add(self._running)
        cell = nb.cells[self._running]
        if isinstance(error, CellTimeoutError):
            message = "this cell ran too long and would not be interrupted"
            self._hangs[_answer(cell)] += 1
        else:
            message = "the kernel died while this cell ran (an exit, a crash, or out of memory)"
        cell.setdefault("outputs", []).append(_error("KernelDied", message))
        if is_test(cell):
            self._settled.add(self._running)

    def create_kernel_manager(self) -> Any:
        """Return a manager of the grading kernel, whatever kernel the notebook names."""
        self.km = AsyncKernelManager(
            kernel_name="python3", kernel_spec_manager=_BareKernel(), config=self.config
        )
        return self.km

    def start_new_kernel(self, **kwargs: Any) -> None:
        """Start the kernel in its room."""
        with self._room.log.open("wb") as log:
            super().start_new_kernel(
                cwd=str(self._room.work),
                env=dict(self._room.environment),
                stdout=log,
                stderr=log,
                **kwargs,
            )

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run one cell, unless it is an experiment, has its verdict, or ended a kernel before."""
        if index in self._stopped or index in self._settled:
            return cell, resources
        if index not in self._due:
            if cell.cell_type == "code":
                self._run_definitions(cell, resources, index)
            return cell, resources
        self._running, self._written, self._shown = index, 0, 0
        cell, resources = super().preprocess_cell(cell, resources, index)
        if is_test(cell):
            _make_output_harmless(cell)
            self._settled.add(index)
        return cell, resources

    def _run_definitions(self, cell: NotebookNode, resources: dict[str, Any], index: int) -> None:
        """Of an experiment, run what an answer may use: its imports, functions and classes."""
        source = ungraded_definitions(cell.source)
        if source:
            self._running, self._written, self._shown = index, 0, 0
            shadow = NotebookNode(cell | {"source": source, "outputs": []})
            super().preprocess_cell(shadow, resources, index)

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Record what nbgrader would miss: a hang, a cell that was passed over, an exit."""
        super().on_cell_executed(**kwargs)
        reply = kwargs["execute_reply"]["content"]
        if reply.get("ename") == "CellTimeoutError":
            self._stopped.add(kwargs["cell_index"])
            self._hangs[_answer(kwargs["cell"])] += 1
        if reply["status"] == "aborted":
            kwargs["cell"].outputs.append(_error("DidNotRun", "the kernel passed this cell over"))
        if any(item.get("source") == "ask_exit" for item in reply.get("payload", [])):
            raise DeadKernelError("the cell asked the kernel to exit")

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """Drop updates of what was shown before: they could grow without a limit."""
        if msg["msg_type"] == "update_display_data":
            return None
        return super().process_message(msg, cell, cell_index)

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: Any, cell_index: int
    ) -> Any:
        """Keep the first `max_output` characters of a cell; an error is always kept, shortened."""
        content = msg["content"]
        room = self.max_output - self._written
        if msg["msg_type"] == "error":
            content["evalue"] = content["evalue"][:2_000]
            content["traceback"] = [line[:10_000] for line in content["traceback"][:200]]
        elif msg["msg_type"] == "stream":
            self._written += len(content["text"])
            if room <= 0:
                return None
            if len(content["text"]) > room:
                content["text"] = content["text"][:room] + "\n... output cut here ...\n"
        else:
            self._shown += sum(len(str(value)) for value in content.get("data", {}).values())
            if self._shown > 20 * self.max_output:  # pictures are bulkier than text
                return None
        return super().output(outs, msg, display_id, cell_index)


def _answer(cell: NotebookNode) -> str:
    """The answer that a cell holds or tests."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    return tested_answer(grade_id) or grade_id


def _make_output_harmless(cell: NotebookNode) -> None:
    """Turn a test's warnings and its last value into plain text.

    nbgrader scores anything on stderr as 0, and takes a value as the score itself.
    """
    for index, output in enumerate(cell.outputs):
        if output.output_type == "stream":
            output.name = "stdout"
        elif output.output_type == "execute_result":
            text = output.data.get("text/plain", "")
            cell.outputs[index] = new_output("stream", name="stdout", text=f"{text}\n")


@lru_cache(maxsize=500)
def ungraded_definitions(source: str) -> str:
    """Return the imports, functions and classes of an experiment, without what it measures.

    The lab stays out: importing what it draws with would add half a second to every submission.
    """
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except SyntaxError:
        return ""
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    tree.body = [
        node
        for node in tree.body
        if isinstance(node, kept)
        and not (getattr(node, "module", None) or "").startswith("tinytorch.lab")
    ]
    return ast.unparse(tree)
