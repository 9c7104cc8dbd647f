"""Changes the reference's answers in small ways, and asks the tests whether they notice.

The changes themselves are made by mutations.py. Here each one is tried like a student's answer
(trial.py), and survivors are held against a file of explanations.

Kept tools do not fit. cosmic-ray and mutmut change modules of a package on disk and run a test
command; an answer is a notebook's cell, and its tests are cells that only IPython runs. cosmic-ray
starts that command afresh for every change, which here means seconds of imports and compilation
each; mutmut puts a trampoline around functions, which Numba cannot compile. mutatest is no longer
maintained. So only the list of operators is theirs in spirit.
"""

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinytorch.course import trial
from tinytorch.course.mutations import Mutant, mutants_of
from tinytorch.course.project import CourseError, Project
from tinytorch.course.submissions import reference_answers

# A loop that never ends is stopped by its processor time, which a busy machine does not change;
# one that waits for what never comes, by the clock.
CPU_SECONDS = 8.0
PATIENCE = 90.0
MEMORY = 8 * 2**30  # of addresses: libraries reserve some, and use little of it
_KEYS = {"answer", "diff", "pattern", "reason"}


@dataclass(frozen=True)
class Reason:
    """Why survivors change nothing that a test could see.

    They are the answer's mutants whose diff is `diff`, or in whose diff `pattern` is found.
    """

    answer: str
    reason: str
    diff: str = ""
    pattern: str = ""

    def explains(self, mutant: Mutant) -> bool:
        """Whether this is said of the mutant."""
        if mutant.answer != self.answer:
            return False
        if self.diff:
            return mutant.diff.strip() == self.diff.strip()
        return re.search(self.pattern, mutant.diff) is not None

    def __str__(self) -> str:
        return f"{self.answer}: {self.diff.strip() or self.pattern} ({self.reason})"


@dataclass
class Report:
    """All mutants by what became of them, and the reasons that explain no survivor."""

    killed: list[Mutant] = field(default_factory=list)
    explained: list[Mutant] = field(default_factory=list)
    unexplained: list[Mutant] = field(default_factory=list)
    stale: list[Reason] = field(default_factory=list)

    def rows(self) -> dict[str, tuple[int, int, int, int]]:
        """Mutants, killed, explained, unexplained: by answer, and `in all` as the last."""
        kinds = (self.killed, self.explained, self.unexplained)
        answers = dict.fromkeys(mutant.answer for kind in kinds for mutant in kind)
        rows = {}
        for answer in answers:
            counts = [sum(mutant.answer == answer for mutant in kind) for kind in kinds]
            rows[answer] = (sum(counts), *counts)
        counts = [len(kind) for kind in kinds]
        rows["in all"] = (sum(counts), *counts)
        return rows  # type: ignore[return-value] # three counts and their sum


def reasons_file(project: Project) -> Path:
    """Return where the course explains its surviving mutants."""
    return project.root / "tests" / "submissions" / "mutants_explained.toml"


def read_reasons(path: Path) -> list[Reason]:
    """Read the explanations, none if there is no such file; CourseError if one is malformed."""
    if not path.is_file():
        return []
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}.") from error
    return [_reason(path, number, table) for number, table in enumerate(tables, 1)]


def _reason(path: Path, number: int, table: dict[str, Any]) -> Reason:
    where = f"{path}: [[equivalent]] number {number}"
    wrong = sorted(set(table) - _KEYS) + [k for k in table if not isinstance(table[k], str)]
    if wrong:
        raise CourseError(
            f"{where} has {', '.join(wrong)}; it takes texts: answer, reason and diff or pattern."
        )
    if not table.get("answer") or not table.get("reason"):
        raise CourseError(f"{where} needs an answer and a reason.")
    if bool(table.get("diff")) == bool(table.get("pattern")):
        raise CourseError(f"{where} needs either a diff or a pattern.")
    try:
        re.compile(table.get("pattern", ""))
    except re.error as error:
        raise CourseError(f"{where}: its pattern is no regular expression: {error}.") from error
    return Reason(**table)


def run_mutants(
    project: Project,
    assignment: str,
    reasons: Sequence[Reason],
    *,
    only: Collection[str] | None = None,
    workers: int | None = None,
    seed: int | None = None,
    on_progress: trial.Progress | None = None,
) -> Report:
    """Try every change of the reference's answers on the tests of the answer that it is in.

    only: the answers to change, by default all that have tests. Raises CourseError for a name that
    is none of them.
    """
    lesson = trial.read_trial_lesson(project, assignment)
    graded = lesson.graded()
    unknown = sorted(set(only or ()) - set(graded))
    if unknown:
        raise CourseError(f"No tests for {', '.join(unknown)}. There are: {', '.join(graded)}.")
    chosen = [answer for answer in graded if not only or answer in only]
    sources = reference_answers(project.notebook(assignment))
    mutants = [mutant for answer in chosen for mutant in mutants_of(answer, sources[answer])]
    if not mutants:
        raise CourseError("There is nothing to change in these answers.")
    tries = [trial.Try(f"{m.answer}, {m.operator}", m.answer, m.source) for m in mutants]
    limits = trial.Limits(PATIENCE, cpu=CPU_SECONDS, memory=MEMORY, own_tests=True)
    tried = trial.run_trials(
        project, assignment, tries,
        limits=limits, workers=workers, seed=seed, on_progress=on_progress,
    )  # fmt: skip
    return sort_out(mutants, [_noticed(one) for one in tried], reasons, chosen)


def _noticed(tried: trial.Tried) -> bool:
    """Whether a test failed, or the changed cell never let one begin."""
    lost = any(not outcome.passed for outcome in tried.tests.values())
    return lost or any(outcome.state in ("died", "hung") for outcome in tried.broken)


def sort_out(
    mutants: Sequence[Mutant],
    noticed: Sequence[bool],
    reasons: Sequence[Reason],
    chosen: Collection[str],
) -> Report:
    """Sort mutants by what became of them; reasons of answers not `chosen` are not looked at."""
    report = Report()
    used = set()
    for mutant, was_noticed in zip(mutants, noticed, strict=True):
        fitting = [] if was_noticed else [r for r in reasons if r.explains(mutant)]
        used.update(fitting)
        kind = report.killed if was_noticed else report.explained if fitting else report.unexplained
        kind.append(mutant)
    report.stale = [r for r in reasons if r.answer in chosen and r not in used]
    return report
