"""Tries many answers to one lesson, with the scores that the grading of a submission would give.

A try runs in a process that is forked from one which has run the lesson up to the answer, so it
pays for no kernel, no imports and nothing that the reference compiles: trial_workers.py starts
these, trial_room is what runs in them. What the scores mean is decided in verdicts.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils

from tinytorch.course.isolation import (
    IsolatedExecute,
    is_test,
    is_ungraded,
    read_source,
    ungraded_definitions,
)
from tinytorch.course.lesson import tested_answer
from tinytorch.course.project import CourseError, Project
from tinytorch.course.terminal import Progress
from tinytorch.course.trial_workers import Crowd, Plan
from tinytorch.lab.facts import cores

STUDENT = "student:"  # the label of a student's cell begins so


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

    def as_job(self) -> dict[str, Any]:
        """These limits as the workers are told."""
        return {
            "timeout": self.timeout,
            "cpu": self.cpu,
            "memory": self.memory,
            "stop": self.own_tests,
            "whole": not self.own_tests,
        }


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

    workers: processes, by default one more than there are cores. seed: what hidden tests draw their
    inputs from.
    Raises CourseError if a test of the reference itself fails, or if a worker ends early.
    """
    lesson = read_trial_lesson(project, assignment)
    limits = limits or Limits(default_timeout(project))
    # One more than there are cores: some tests wait for threads that a wrong answer never starts.
    count = min(workers or cores() + 1, len(tries)) or 1
    plans = [_plan(lesson, one, limits) for one in tries]
    crowd = Crowd(project, lesson.cells, plans, limits.as_job(), seed, on_progress)
    results = crowd.serve(count)
    tried = [_tried(lesson, one, *results[index]) for index, one in enumerate(tries)]
    if not limits.own_tests:
        for one, plan in zip(tried, plans, strict=True):
            _fail_what_did_not_run(lesson, one, plan)
    return tried


def _plan(lesson: Lesson, one: Try, limits: Limits) -> Plan:
    """What a worker is told of a try."""
    at = lesson.answers[one.answer]
    rest = _rest(lesson, one.answer, at, limits.own_tests)
    return Plan(one.name, at, _student_cells(one), rest)


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


def _fail_what_did_not_run(lesson: Lesson, tried: Tried, plan: Plan) -> None:
    """A test without a verdict fails, as in the grading of a submission."""
    for label in (lesson.cells[index]["label"] for index in plan.rest):
        if label in lesson.tests and label not in tried.tests:
            what = "this test cell did not run"
            tried.tests[label] = Outcome(label, "died", "DidNotRun", what)
