"""Judges the tests by the corpus: what they let pass, take by mistake, or leave unexplained.

Takes what became of every entry (trial.py) and returns findings; nothing is run or printed here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinytorch.course.corpus import Entry
from tinytorch.course.trial import STUDENT, Lesson, Outcome, TestCell, Tried

ESCAPE, FALSE_ALARM, SPILL = "ESCAPE", "FALSE ALARM", "SPILL"
MISMATCH, UNEXPLAINED, UNSTABLE = "MISMATCH", "UNEXPLAINED", "UNSTABLE"
UNLIKE = "UNLIKE"  # a judge scores otherwise than one process does

_WORD = re.compile(r"[A-Za-z]{2,}")
_WORDS = 5  # the shortest sentence that says what is wrong and why
# What comparing functions say by themselves: two arrays differ, but not why.
_COMPARISONS = ("numpy.testing", "pandas.testing", "unittest")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with the tests (or with the entry): kind, entry, one sentence."""

    kind: str
    entry: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind:11} {self.entry}: {self.what}"


def name_of(entry: Entry) -> str:
    """Return an entry's name as findings and tables show it."""
    return f"{entry.answer}/{entry.slug}"


def behaviour_of(test: TestCell) -> str:
    """Return the behaviour that a test cell's points stand for: visible, or what is hidden."""
    rest = test.grade_id.removeprefix(f"test_{test.answer}")
    if not rest:
        return "visible"
    return rest.removeprefix("_hidden").removeprefix("_") or "hidden"


def is_lost(test: TestCell, tried: Tried) -> bool:
    """Say whether an entry loses this test's points; tests before its answer are not run again."""
    outcome = tried.tests.get(test.grade_id)
    return test.points > 0 and outcome is not None and not outcome.passed


def judge(lesson: Lesson, entry: Entry, tried: Tried) -> list[Finding]:
    """Return everything that is wrong with how one entry was scored."""
    own = lesson.tests_of(entry.answer)
    others = [test for test in lesson.tests.values() if test.answer != entry.answer]
    lost = [test for test in own if is_lost(test, tried)]
    spilt = [test for test in others if is_lost(test, tried)]
    findings = []
    if entry.wrong:
        findings += _escapes(entry, own, lost)
        findings += [_finding(SPILL, entry, tried, test) for test in spilt]
    else:
        findings += [_finding(FALSE_ALARM, entry, tried, test) for test in [*lost, *spilt]]
    for test in lost:
        why = unexplained(tried.tests[test.grade_id], entry.answer, tried.broken)
        if why:
            findings.append(Finding(UNEXPLAINED, name_of(entry), f"{test.grade_id}: {why}"))
    return findings


def _finding(kind: str, entry: Entry, tried: Tried, test: TestCell) -> Finding:
    outcome = tried.tests[test.grade_id]
    said = f"{outcome.error}: {outcome.message}".split("\n")[0][:300]
    return Finding(kind, name_of(entry), f"{test.grade_id} loses {test.points:g} points, {said}")


def _escapes(entry: Entry, own: list[TestCell], lost: list[TestCell]) -> list[Finding]:
    """Full marks for a wrong answer, or points kept for a behaviour that it should lose."""
    if not lost:
        what = f"keeps all its points, although wrong: {entry.about}"
        return [Finding(ESCAPE, name_of(entry), what)]
    findings = []
    by_behaviour = {behaviour_of(test): test for test in own}
    for behaviour in entry.loses:
        test = by_behaviour.get(behaviour)
        if test is None:
            what = f"should lose {behaviour}, which no test cell of {entry.answer} has points for"
        elif test not in lost:
            what = f"keeps the points of {test.grade_id}, which it should lose: {entry.about}"
        else:
            continue
        findings.append(Finding(MISMATCH, name_of(entry), what))
    return findings


def unexplained(outcome: Outcome, answer: str, broken: Sequence[Outcome] = ()) -> str:
    """Say why a failed test's message tells a student no cause; an empty string if it tells one.

    Explained is an AssertionError with a sentence of its own, whatever the student's own code
    raised (the traceback ends there), a cell that hung or died, and the answer's missing name
    where the student's cell had raised before. Everything else is the test's own accident.
    `broken`: the student's cells that raised.
    """
    if outcome.state in ("died", "hung"):
        return ""
    if outcome.raised_in.startswith(STUDENT):
        return ""
    if outcome.error == "AssertionError":
        return _not_a_sentence(outcome)
    if outcome.error == "NameError" and f"'{answer}'" in outcome.message and broken:
        return ""
    where = f", raised by {outcome.module}" if outcome.module else ""
    return f"the test itself raises {outcome.error}: {outcome.message[:200]!r}{where}"


def _not_a_sentence(outcome: Outcome) -> str:
    if not outcome.message.strip():
        return "a bare assert, without a message"
    if outcome.module.startswith(_COMPARISONS):
        return f"{outcome.module} says that values differ, and no cause: {outcome.message[:80]!r}"
    if len(_WORD.findall(outcome.message)) < _WORDS:
        return f"no sentence that names a cause: {outcome.message[:200]!r}"
    return ""


def unstable(entries: Sequence[Entry], runs: Sequence[Sequence[Tried]]) -> list[Finding]:
    """Return the entries whose scores were not the same in every run."""
    findings = []
    for entry, *tried in zip(entries, *runs, strict=True):
        passed = [one.passed() for one in tried]
        names = {name for verdicts in passed for name in verdicts}
        shaky = sorted(n for n in names if len({verdicts.get(n) for verdicts in passed}) > 1)
        if shaky:
            what = f"in {len(runs)} runs, not always the same score of {', '.join(shaky)}"
            findings.append(Finding(UNSTABLE, name_of(entry), what))
    return findings


def unlike(
    lesson: Lesson, entries: Sequence[Entry], tried: Sequence[Tried], judged: Sequence[Tried]
) -> list[Finding]:
    """Return the entries whose own tests a judge scores otherwise than one process does."""
    findings = []
    for entry, here, there in zip(entries, tried, judged, strict=True):
        for test in lesson.tests_of(entry.answer):
            mine, theirs = here.tests[test.grade_id], there.tests[test.grade_id]
            if mine.passed != theirs.passed:
                said = f"{theirs.error}: {theirs.message}" if mine.passed else mine.message
                what = f"{test.grade_id}: {mine.state} in one process, {theirs.state} by a judge"
                findings.append(Finding(UNLIKE, name_of(entry), f"{what}, {said[:300]}"))
    return findings
