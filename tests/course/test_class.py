"""A class graded by a stub: what stands, what is done again, and what workers do to it."""

import json
import os
import random
import signal
import time
from pathlib import Path

import nbformat
import pytest
import sqlalchemy as sql
from class_courses import (
    FUNCTION,
    NB,
    THREADS,
    A,
    grade,
    graded_until_killed,
    rows,
    states,
    trouble,
    write_class,
)
from class_tasks import from_text
from nbgrader.api import Gradebook

from tinytorch.course import batch, dispatch, records, report, seeds
from tinytorch.course.project import CourseError

NAMES = ["ann", "bob", "cy", "dee"]


@pytest.fixture
def course(little_class):
    write_class(little_class, NAMES, wrong={"bob"})
    return little_class


def test_everybody_gets_the_points_of_the_record(course):
    outcomes = grade(course)
    assert {o.student: (o.state, o.score, o.max_score) for o in outcomes} == {
        "ann": ("graded", 3, 3),
        "bob": ("graded", 1, 3),
        "cy": ("graded", 3, 3),
        "dee": ("graded", 3, 3),
    }
    executed = course.autograded / "bob" / A / f"{NB}.ipynb"
    nbformat.validate(nbformat.read(executed, as_version=4))
    assert (executed.parent / "timestamp.txt").read_text().endswith("UTC")


def test_what_stands_is_skipped_and_a_change_is_graded(course, tmp_path, monkeypatch):
    times = trouble(tmp_path, monkeypatch)
    grade(course)
    write_class(course, ["cy"], wrong={"cy"})
    again = grade(course)
    assert states(again) == {
        "ann": "skipped", "bob": "skipped", "cy": "graded", "dee": "skipped"}  # fmt: skip
    assert {o.student: o.score for o in again} == {"ann": 3, "bob": 1, "cy": 1, "dee": 3}
    assert [times(name) for name in NAMES] == [1, 1, 2, 1]


def test_force_grades_again_with_the_same_seed(course):
    grade(course, seed=5)
    assert states(grade(course, ["ann"], True)) == {"ann": "graded"}
    assert records.Records(course, A).head("ann")["seed"] == 5
    assert seeds.recorded(course, A, "ann") == 5


def test_a_seed_by_hand_grades_who_had_another(course):
    grade(course, seed=5)
    assert set(states(grade(course, seed=5)).values()) == {"skipped"}
    assert set(states(grade(course, seed=6)).values()) == {"graded"}
    assert set(states(grade(course)).values()) == {"skipped"}


def test_trust_is_part_of_what_a_record_stands_for_and_every_table_says_so(course, tmp_path):
    grade(course, trusted=True)
    found = report.report(course, A)
    report.write_csv(found, tmp_path / "x.csv")
    report.write_json(found, tmp_path / "x.json")
    assert "--trust-submissions" in (tmp_path / "x.csv").read_text()
    assert '"trusted": true' in (tmp_path / "x.json").read_text()
    assert set(states(grade(course)).values()) == {"graded"}
    assert not any(row.trusted for row in report.report(course, A).rows)


def lose_gradebook(course):
    with Gradebook(course.gradebook_url) as book:
        for submission in book.assignment_submissions(A):
            book.remove_submission(A, submission.student_id)


@pytest.mark.parametrize("loss", ["gradebook", "files"])
def test_what_was_lost_is_merged_from_the_records_alone(course, tmp_path, monkeypatch, loss):
    grade(course)
    before = rows(course)
    executed = course.autograded / "ann" / A / f"{NB}.ipynb"
    lose_gradebook(course) if loss == "gradebook" else executed.unlink()
    times = trouble(tmp_path, monkeypatch)
    grade(course)
    assert rows(course) == before and executed.is_file()
    assert [times(name) for name in NAMES] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(path.read_bytes()[:100]),
        lambda path: path.write_bytes(b"\x00" * path.stat().st_size),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("[]\n\n"),
    ],
    ids=["short notebook", "short record", "zeros", "empty", "no object"],
)
def test_a_damaged_record_is_as_if_it_were_not_there(course, tmp_path, monkeypatch, spoil):
    grade(course)
    spoil(records.Records(course, A).path("ann"))
    assert records.Records(course, A).read("ann") is None
    lose_gradebook(course)  # else the notebook in the record is of no use any more
    times = trouble(tmp_path, monkeypatch)
    grade(course)
    assert [times(name) for name in NAMES] == [1, 0, 0, 0]


def test_a_record_comes_back_as_it_was_written(course):
    kept = records.Records(course, A)
    record = {"version": 1, "key": "k", "student": "ä" * 120, "state": "graded",
              "executed": "{}\n", "seed": 3}  # fmt: skip
    kept.write(record)
    assert kept.read("ä" * 120).items() >= record.items()
    assert [head["student"] for head in kept.heads()] == ["ä" * 120]


@pytest.mark.parametrize(
    "name",
    ["submission", "companions", "refused", "release", "limits", "trusted", "grader"],
)
def test_a_key_depends_on(name):
    task = {"release": {}, "submission": "x"}
    assert records.key_of(task) == records.key_of(task | {"seed": 4})
    assert records.key_of(task | {name: {"other": 1}}) != records.key_of(task)


# What students hand in


def test_a_refused_submission_is_a_zero_with_its_reason(course, tmp_path):
    (course.submitted / "bob" / A / f"{NB}.ipynb").write_text("{")
    outcomes = {o.student: o for o in grade(course)}
    assert (outcomes["bob"].state, outcomes["bob"].score) == ("refused", 0)
    assert states(outcomes.values())["ann"] == "graded"
    found = {row.student: row for row in report.report(course, A).rows}
    assert (found["bob"].state, found["bob"].score) == ("refused", 0)
    assert "is not a notebook" in found["bob"].reason
    executed = course.autograded / "bob" / A / f"{NB}.ipynb"
    notebook = nbformat.read(executed, as_version=4)
    nbformat.validate(notebook)
    assert "is not a notebook" in notebook.cells[0].source
    assert states(grade(course))["bob"] == "skipped"
    write_class(course, ["bob"])
    assert {o.student: o.score for o in grade(course)}["bob"] == 3
    assert {row.student: row.state for row in report.report(course, A).rows}["bob"] == "graded"


def test_a_refused_newer_hand_in_takes_no_earlier_grade_away(course):
    grade(course)
    before = rows(course)
    (course.submitted / "ann" / A / f"{NB}.ipynb").write_text("{")
    outcome = {o.student: o for o in grade(course)}["ann"]
    assert (outcome.state, outcome.score) == ("refused", 3)
    (course.submitted / "ann" / A / f"{NB}.ipynb").write_text("{{")
    assert {o.student: o.score for o in grade(course)}["ann"] == 3
    assert rows(course) == before


def test_states_of_records_come_through(course):
    text = "def double(x):\n    return 2 * x  # "
    from tinytorch.course.submissions import hand_in

    hand_in(course, A, "bob", {"double": f"{text}SLOW"})
    hand_in(course, A, "cy", {"double": f"{text}DIED test_double"})
    seen = []
    outcomes = {o.student: o for o in grade(course, None, False, lambda *step: seen.append(step))}
    assert (outcomes["bob"].state, outcomes["bob"].score) == ("timeout", 3)
    assert (outcomes["cy"].state, outcomes["cy"].score) == ("graded", 2)
    assert outcomes["cy"].message == "1 cell ended the student's process"
    assert seen[-1] == (4, 4, "2 graded, 1 student error, 1 timeout")


# What was decided by hand


def by_hand(course, student, name, **values):
    with Gradebook(course.gradebook_url) as book:
        grade = book.find_grade(name, NB, A, student)
        for key, value in values.items():
            setattr(grade, key, value)
        comment = book.find_comment("double", NB, A, student)
        comment.manual_comment = "Well done."
        book.db.commit()


def read_back(course, student, name):
    with Gradebook(course.gradebook_url) as book:
        grade = book.find_grade(name, NB, A, student)
        comment = book.find_comment("double", NB, A, student)
        decided = (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
        return *decided, grade.extra_credit, comment.manual_comment


@pytest.mark.parametrize("wrong", [False, True], ids=["same score", "other score"])
def test_points_and_comments_by_hand_stay(course, wrong):
    grade(course)
    decided = {"manual_score": 0.5, "needs_manual_grade": False, "extra_credit": 1.0}
    by_hand(course, "ann", "test_double_hidden", **decided)
    write_class(course, ["ann"], wrong={"ann"} if wrong else ())
    outcome = {o.student: o for o in grade(course, force=True)}["ann"]
    auto = 0 if wrong else 2
    assert read_back(course, "ann", "test_double_hidden") == (auto, 0.5, wrong, 1.0, "Well done.")
    assert outcome.score == 1 + 0.5 + 1.0


def test_merging_twice_is_merging_once(course):
    from tinytorch.course.gradebook import Merger

    grade(course)
    by_hand(course, "bob", "test_double", manual_score=0.5, needs_manual_grade=False)
    write_class(course, ["bob"])
    grade(course)
    before = rows(course)
    with Merger(course, A) as merger:
        merger.merge([records.Records(course, A).read("bob")])
    assert rows(course) == before


# What workers do


def test_a_broken_pool_takes_nobody_along(course, tmp_path, monkeypatch):
    times = trouble(tmp_path, monkeypatch, bob=["kill", 1])
    outcomes = grade(course, workers=dispatch.pool(2))
    assert set(states(outcomes).values()) == {"graded"}
    assert times("bob") == 2


def test_who_breaks_every_pool_is_the_only_one_without_a_grade(course, tmp_path, monkeypatch):
    trouble(tmp_path, monkeypatch, bob=["kill", 99])
    outcomes = {o.student: o for o in grade(course, workers=dispatch.pool(2))}
    assert states(outcomes.values()) == {
        "ann": "graded", "bob": "failed", "cy": "graded", "dee": "graded"}  # fmt: skip
    assert "a worker process ended" in outcomes["bob"].message
    assert {row.student: row.score for row in report.report(course, A).rows}["bob"] is None
    monkeypatch.delenv("TINYTORCH_TEST_TROUBLE")
    assert states(grade(course))["bob"] == "graded"


def test_infrastructure_is_tried_again_and_a_student_is_not(course, tmp_path, monkeypatch):
    times = trouble(tmp_path, monkeypatch, bob=["raise", 2], cy=["fault", 99])
    outcomes = {o.student: o for o in grade(course)}
    assert states(outcomes.values()) == {
        "ann": "graded", "bob": "graded", "cy": "failed", "dee": "graded"}  # fmt: skip
    assert [times(name) for name in NAMES] == [1, 3, dispatch.ATTEMPTS, 1]
    assert "FaultyRecord" in outcomes["cy"].message


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("infrastructure", "the sandbox did not start"),
        ("nonsense", "another submission's record"),
        ("no_such", "no_such"),
    ],
)
def test_a_fault_of_the_grader_is_said_and_costs_no_earlier_grade(course, function, says):
    grade(course, ["ann"])
    before = rows(course)
    outcomes = grade(course, ["ann"], True, function=f"class_tasks:{function}")
    assert [(o.state, o.score) for o in outcomes] == [("failed", None)]
    assert says in outcomes[0].message
    assert rows(course) == before
    assert states(grade(course, ["ann"])) == {"ann": "skipped"}


def test_workers_that_never_answer_are_taken_for_lost(course, tmp_path, monkeypatch):
    trouble(tmp_path, monkeypatch, ann=["wait", 1])
    outcomes = dispatch.run(
        [{"key": "k", "student": "ann", "seed": 1, "trusted": False, "refused": "x",
          "assignment": A, "notebook": NB, "release": {"cells": {}}}],
        FUNCTION, dispatch.pool(1), patience=15.0,
    )  # fmt: skip
    ((_, record),) = outcomes
    assert record["state"] == "refused"


def test_no_more_than_a_bounded_number_is_in_flight(course):
    read, answered = [], 0
    tasks = ({"key": str(n), "student": str(n), "seed": n} for n in range(50) if not read.append(n))
    for _ in dispatch.run(tasks, "class_tasks:infrastructure", THREADS, attempts=1):
        answered += 1
        assert len(read) <= answered + 2 * THREADS.in_flight
    assert answered == 50


def test_pools_that_break_without_end_are_said(course, tmp_path, monkeypatch):
    class Broken(dispatch.Executor):
        def submit(self, *_):
            raise dispatch.BrokenExecutor("no memory")

    outcomes = grade(course, workers=dispatch.Workers(Broken, 2))
    assert set(states(outcomes).values()) == {"failed"}
    monkeypatch.setattr(dispatch, "MOST_BREAKS", 5)
    with pytest.raises(CourseError, match="without one result"):
        grade(course, workers=dispatch.Workers(Broken, 2))


def test_a_second_coordinator_is_kept_out(course):
    with records.Records(course, A).alone(), pytest.raises(CourseError, match="another tito"):
        grade(course)


# A kill at any moment


def test_half_a_file_of_a_killed_writer_goes_with_the_next_merge(course):
    grade(course)
    folder = course.autograded / "ann" / A
    for place in (folder, folder.parent):
        (place / ".0123456789abcdef.half").write_text("{")
    (folder / f"{NB}.ipynb").unlink()  # a kill before this one was placed: the merge is repeated
    grade(course)
    assert (folder / f"{NB}.ipynb").is_file()
    assert not list(course.autograded.rglob("*.half"))


CLASS = [f"student{n:02}" for n in range(60)]


def test_killed_twenty_times_it_loses_nobody_and_grades_nobody_twice(
    little_class, tmp_path, monkeypatch
):
    monkeypatch.setattr(batch, "_BATCH", 7)
    write_class(little_class, CLASS, wrong=CLASS[::3])
    grade(little_class)
    undisturbed = rows(little_class)
    lose_gradebook(little_class)
    for path in sorted(little_class.autograded.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    times = trouble(tmp_path, monkeypatch)
    chance = random.Random(2026)
    kills = 0
    while kills < 20:
        finished = graded_until_killed(little_class, chance.randrange(1, 90))
        kills += not finished
        if finished:  # all is done: the rest of the kills hit a run that merges again
            lose_gradebook(little_class)
    grade(little_class)
    assert rows(little_class) == undisturbed
    assert not list(little_class.autograded.rglob("*.half"))
    written = {path.stem for path in records.Records(little_class, A).folder.glob("*.json")}
    assert written == set(CLASS)
    # What was in flight at a kill is the only thing that is done again.
    assert sum(times(name) for name in CLASS) <= len(CLASS) + 20 * THREADS.in_flight


def alive(pid):
    """Say whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_workers_end_with_a_killed_coordinator(course, tmp_path, monkeypatch):
    path = tmp_path / "trouble.json"
    trouble(tmp_path, monkeypatch, **{name: ["wait", 99] for name in NAMES})
    child = os.fork()
    if child == 0:
        try:
            grade(course, workers=dispatch.pool(2))
        finally:
            os._exit(1)

    def working():
        found = [p.read_text().split() for p in path.parent.glob("trouble.json.*")]
        return {int(pid) for pids in found for pid in pids}

    while len(working()) < 2:
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for pid in working():
        while alive(pid):
            time.sleep(0.1)
    monkeypatch.delenv("TINYTORCH_TEST_TROUBLE")
    assert set(states(grade(course)).values()) == {"graded"}


def test_an_interrupt_keeps_what_is_done(course, monkeypatch):
    def interrupted(tasks, *_):
        task = next(iter(tasks))
        yield task, from_text(task)
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "run", interrupted)
    with pytest.raises(batch.Stopped) as stopped:
        grade(course)
    assert states(stopped.value.outcomes) == {"ann": "graded"}
    monkeypatch.undo()
    monkeypatch.setattr(batch, "check_reference", lambda *_, **__: None)
    assert states(grade(course))["ann"] == "skipped"


# Again, since the release


def test_regrade_since_release_takes_whom_it_concerns(course):
    from tinytorch.course.build import build
    from tinytorch.course.release import generate

    grade(course, ["ann", "bob"], seed=4)
    script = course.script(A)
    script.write_text(script.read_text().replace("(-1024) == -2048", "(-1023) == -2046"))
    build(course)
    generate(course, A)
    grade(course, ["cy"], seed=9)
    options = {"workers": THREADS, "function": FUNCTION}
    again = batch.regrade(course, A, since_release=True, **options)
    assert states(again) == {"ann": "graded", "bob": "graded"}
    kept = records.Records(course, A)
    assert [kept.head(name)["seed"] for name in ("ann", "bob", "cy")] == [4, 4, 9]
    assert batch.regrade(course, A, since_release=True, **options) == []
    assert set(states(batch.regrade(course, A, **options))) == {"ann", "bob", "cy"}


def test_regrade_before_grading_is_said(course):
    with pytest.raises(CourseError, match="tito grade"):
        batch.regrade(course, A)


def test_the_report_of_a_roster_reads_the_gradebook_in_a_few_statements(course):
    def statements():
        seen = []
        listen = (sql.engine.Engine, "before_cursor_execute", lambda *_: seen.append(1))
        sql.event.listen(*listen)
        report.report(course, A)
        sql.event.remove(*listen)
        return len(seen)

    grade(course, ["ann"])
    few = statements()
    grade(course)
    assert statements() == few


def test_a_roster_of_a_thousand_is_merged_and_reported(course, capsys):
    from tinytorch.course.gradebook import Merger
    from tinytorch.course.hand_ins import HandIns

    task = HandIns(course, A, seed=1).task("ann")
    record = from_text(task) | task["about"]
    began = time.perf_counter()
    with Merger(course, A) as merger:
        for first in range(0, 1000, 50):
            names = [f"student{number:04}" for number in range(first, first + 50)]
            merger.merge([record | {"student": name} for name in names])
        merged = time.perf_counter()
        assert len(merger.standings()) == 1000
    found = report.report(course, A)
    told = time.perf_counter()
    assert sum(row.score == 3 for row in found.rows) == 1000
    with capsys.disabled():
        print(f"\n1,000 merged in {merged - began:.1f} s, reported in {told - merged:.1f} s")


def test_the_audit_says_how_each_grade_came_about(course, tmp_path):
    from tinytorch.course import platforms

    grade(course, ["ann"], seed=3)
    entries = platforms.audit(course, A, report.report(course, A))
    ann, bob = entries[:2]
    assert (ann["seed"], ann["sandbox"], ann["result"]) == (3, "a stub", "graded")
    assert not bob["recorded"] and "no record" in platforms.sentence(bob)
    assert "seed 3" in platforms.sentence(ann) and "a stub" in platforms.sentence(ann)
    platforms.write_audit(entries, tmp_path / "audit.json")
    assert json.loads((tmp_path / "audit.json").read_text()) == entries
