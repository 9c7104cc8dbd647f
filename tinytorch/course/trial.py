"""Tries many answers to one lesson, with the scores that the grading of a submission would give.

A worker process (trial_worker.py) in a grading room runs the reference once per core and forks a
child per try, so that no try pays for a kernel, for imports, or for what the reference compiles.
What the scores mean is decided elsewhere: see verdicts.py.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from nbformat import NotebookNode
from nbgrader import utils

from tinytorch.course import compiled, trial_worker
from tinytorch.course.isolation import (
    IsolatedExecute,
    Room,
    grading_room,
    is_test,
    is_ungraded,
    read_source,
    ungraded_definitions,
)
from tinytorch.course.lesson import tested_answer
from tinytorch.course.project import CourseError, Project

SEED = "TINYTORCH_GRADING_SEED"  # of the random inputs that hidden tests draw
STUDENT = "student:"  # the label of a student's cell begins so
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class TestCell:
    """One graded cell: its grade_id, points, and the answer that it tests."""

    __test__ = False  # for pytest: this is none of its classes

    grade_id: str
    points: float
    answer: str


@dataclass(frozen=True)
class Outcome:
    """What became of one cell.

    error, message: of what was raised, or empty. raised_in: the label of the cell whose code was
    the last to run, `module` the library's that it had called, if one raised. state: "passed",
    "failed", "died" (it ended its process) or "hung" (it ran out of time).
    """

    label: str
    state: str
    error: str = ""
    message: str = ""
    raised_in: str = ""
    module: str = ""
    output: str = ""
    seconds: float = 0.0
    cpu: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the cell raised nothing: what a test's points are given for."""
        return self.state == "passed"


@dataclass(frozen=True)
class Try:
    """One answer to try: the student's cells, `source` in the place of the answer cell."""

    name: str
    answer: str
    source: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tried:
    """What became of one try: its test cells by grade_id, and the student's cells that failed."""

    name: str
    tests: dict[str, Outcome]
    broken: tuple[Outcome, ...]
    seconds: float

    def passed(self) -> dict[str, bool]:
        """The verdict per test cell."""
        return {grade_id: outcome.passed for grade_id, outcome in self.tests.items()}


@dataclass(frozen=True)
class Limits:
    """How long a cell may run (seconds), and how much of a try is run.

    cpu: seconds of processor time, after which the cell counts as hung; None for no such limit.
    memory: bytes of address space of a try. own_tests: only the tests of the try's own answer, up
    to the first that fails.
    """

    timeout: float
    cpu: float | None = None
    memory: int | None = None
    own_tests: bool = False


@dataclass
class Lesson:
    """A lesson's code cells as they are run, and what is known of them."""

    cells: list[dict[str, Any]] = field(default_factory=list)
    tests: dict[str, TestCell] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)  # the place of each answer's cell

    def tests_of(self, answer: str) -> list[TestCell]:
        """The test cells of an answer, in the notebook's order."""
        return [test for test in self.tests.values() if test.answer == answer]

    def graded(self) -> list[str]:
        """The answers that have test cells, in the notebook's order."""
        tested = {test.answer for test in self.tests.values()}
        return [answer for answer in self.answers if answer in tested]


def read_trial_lesson(project: Project, assignment: str) -> Lesson:
    """Read the built notebook, hidden tests included; CourseError if it is not there."""
    lesson = Lesson()
    for cell in read_source(project, assignment).cells:
        if cell.cell_type == "code":
            _add(lesson, cell)
    if not lesson.graded():
        raise CourseError(f"{project.notebook(assignment)} has no test cell: nothing to try.")
    return lesson


def _add(lesson: Lesson, cell: NotebookNode) -> None:
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    test, source = is_test(cell), cell.source
    if not test and is_ungraded(cell):
        source = ungraded_definitions(source)
    if not source.strip():
        return
    if test:
        points = float(cell.metadata.nbgrader.get("points", 0))
        answer = tested_answer(grade_id) or ""
        lesson.tests[grade_id] = TestCell(grade_id, points, answer)
    elif utils.is_solution(cell):
        lesson.answers[grade_id] = len(lesson.cells)
    label = grade_id or cell.get("id", "a cell")
    lesson.cells.append({"label": label, "source": source, "test": test})


def default_timeout(project: Project) -> float:
    """Seconds that a cell may run while a submission is graded."""
    return float(IsolatedExecute(config=project.nbgrader_config()).timeout or 0) or 20.0


def run_trials(
    project: Project,
    assignment: str,
    tries: Sequence[Try],
    *,
    limits: Limits | None = None,
    workers: int | None = None,
    seed: int | None = None,
    on_progress: Progress | None = None,
) -> list[Tried]:
    """Run every try; the results are in the order of `tries`.

    workers: processes, by default one more than there are cores. seed: what hidden tests draw their inputs from.
    Raises CourseError if a test of the reference itself fails, or if a worker ends early.
    """
    lesson = read_trial_lesson(project, assignment)
    limits = limits or Limits(default_timeout(project))
    # One more than there are cores: some tests wait for threads that a wrong answer never starts.
    count = min(workers or available_cores() + 1, len(tries)) or 1
    results = _Crowd(project, seed, tries, lesson, on_progress).serve(limits, count)
    return [_tried(lesson, one, *results[index]) for index, one in enumerate(tries)]


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _job(lesson: Lesson, tries: Sequence[Try], limits: Limits, whole: bool) -> dict[str, Any]:
    """What a worker is told; `whole`: it runs the reference to the end of the notebook."""
    jobs = []
    for one in tries:
        at = lesson.answers[one.answer]
        rest = _rest(lesson, one.answer, at, limits.own_tests)
        jobs.append({"at": at, "cells": _student_cells(one), "rest": rest})
    return {
        "cells": lesson.cells,
        "tries": jobs,
        "timeout": limits.timeout,
        "cpu": limits.cpu,
        "memory": limits.memory,
        "stop": limits.own_tests,
        "restarts": 100,
        "most_output": 2_000,
        "whole": whole and not limits.own_tests,
    }


def _student_cells(one: Try) -> list[dict[str, Any]]:
    cells = [("before", source) for source in one.before]
    cells.append((one.answer, one.source))
    cells += [("after", source) for source in one.after]
    return [{"label": STUDENT + name, "source": text, "test": False} for name, text in cells]


def _rest(lesson: Lesson, answer: str, at: int, own_tests: bool) -> list[int]:
    """The cells that follow the answer's; with `own_tests` no other test, and none after them."""
    after = range(at + 1, len(lesson.cells))
    if not own_tests:
        return list(after)
    own = {test.grade_id for test in lesson.tests_of(answer)}
    last = max(i for i in after if lesson.cells[i]["label"] in own)
    cells = lesson.cells
    return [i for i in after if i <= last and (not cells[i]["test"] or cells[i]["label"] in own)]


def _tried(lesson: Lesson, one: Try, records: list[dict[str, Any]], seconds: float) -> Tried:
    outcomes = [
        Outcome(**{key: value for key, value in record.items() if key != "last"})
        for record in records
    ]
    broken = [o for o in outcomes if o.label.startswith(STUDENT) and not o.passed]
    tests = {o.label: o for o in outcomes if o.label in lesson.tests}
    return Tried(one.name, tests, tuple(broken), seconds)


class _Crowd:
    """The worker processes of one run, each in a room of its own, followed by a thread each."""

    def __init__(
        self,
        project: Project,
        seed: int | None,
        tries: Sequence[Try],
        lesson: Lesson,
        on_progress: Progress | None,
    ) -> None:
        self.project, self.seed, self.tries, self.lesson = project, seed, tries, lesson
        self.on_progress = on_progress
        self.todo: dict[int, deque[int]] = {}  # the tries of each answer cell's place
        for index, one in enumerate(tries):
            self.todo.setdefault(lesson.answers[one.answer], deque()).append(index)
        self.results: dict[int, tuple[list[dict[str, Any]], float]] = {}
        self.faults: list[str] = []
        self.lock = threading.Lock()

    def serve(
        self, limits: Limits, count: int
    ) -> dict[int, tuple[list[dict[str, Any]], float]]:
        """Run all tries in `count` processes side by side; results by the index of the try."""
        with contextlib.ExitStack() as stack:
            threads = []
            for number in range(count):
                job = _job(self.lesson, self.tries, limits, whole=number == 0)
                room = stack.enter_context(grading_room(self.project))
                process = stack.enter_context(_worker(room, self.seed))
                threads.append(
                    threading.Thread(target=self._follow, args=(process, room, job), daemon=True)
                )
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        if self.faults:
            raise CourseError(self.faults[0])
        return self.results

    def _follow(self, process: "subprocess.Popen[bytes]", room: Room, job: dict[str, Any]) -> None:
        assert process.stdin and process.stdout
        with contextlib.suppress(BrokenPipeError):  # it has ended: what it said is read below
            _say(process.stdin, json.dumps(job))
            for line in process.stdout:
                message = json.loads(line)
                if "warm" in message:
                    compiled.keep(self.project, room.package)
                    _say(process.stdin, "")
                elif "want" in message:
                    _say(process.stdin, self._next(message["want"]))
                elif "reference" in message:
                    self._check(message)
                else:
                    self._take(message)
        if process.wait():
            self._fault(_ended(room, process.returncode))

    def _next(self, place: int) -> str:
        with self.lock:
            left = self.todo[place]
            return str(left.popleft()) if left and not self.faults else ""

    def _check(self, message: dict[str, Any]) -> None:
        record = message["reference"]
        if record["state"] != "passed":
            what = "does not pass" if message["test"] else "fails in"
            self._fault(
                f"The reference {what} {record['label']} ({record['error']}: "
                f"{record['message'][:200]}): nothing can be said of other answers. "
                "Run `tito test`."
            )

    def _take(self, message: dict[str, Any]) -> None:
        with self.lock:
            self.results[message["try"]] = (message["records"], message["seconds"])
            if self.on_progress:
                name = self.tries[message["try"]].name
                self.on_progress(len(self.results), len(self.tries), name)

    def _fault(self, what: str) -> None:
        with self.lock:
            self.faults.append(what)


def _say(stream: IO[bytes], line: str) -> None:
    stream.write(line.encode() + b"\n")
    stream.flush()


def _ended(room: Room, code: int) -> str:
    lines = room.log.read_text(errors="replace").split("\n") if room.log.is_file() else []
    last = [line.strip() for line in lines if line.strip()][-3:]
    return f"A worker ended early (exit code {code}). It said: {' / '.join(last) or 'nothing'}"


@contextlib.contextmanager
def _worker(room: Room, seed: int | None) -> "Iterator[subprocess.Popen[bytes]]":
    """Start a worker in its room; it is ended when the run ends, whatever the reason."""
    environment = dict(room.environment)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[name] = "1"  # their threads would not survive a fork
    environment["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # a kernel's
    if seed is not None:
        environment[SEED] = str(seed)
    script = str(Path(trial_worker.__file__).resolve())
    with room.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-S", "-P", script],
            cwd=room.work,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate()
