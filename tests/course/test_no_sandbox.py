"""Where there is no sandbox: grading refuses and says how to get one, the demo trusts its class."""

import sys
from collections import Counter

import pytest
from class_courses import NB, A
from nbformat.v4 import new_code_cell
from nbgrader.apps import NbGraderAPI

from tinytorch.course import batch, demo, feedback_pages, nurseries, report, sandbox
from tinytorch.course.isolation import IsolatedExecute, read_source
from tinytorch.course.project import Project
from tinytorch.course.submissions import hand_in

FAILS = (
    "#!/bin/sh\necho 'bwrap: Creating new namespace failed: Operation not permitted' >&2\nexit 1\n"
)


def without(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


def failing(monkeypatch, tmp_path):
    program = tmp_path / "bwrap"
    program.write_text(FAILS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")


def elsewhere(name):
    return lambda monkeypatch, tmp_path: monkeypatch.setattr(sys, "platform", name)


WAYS = {
    "no bwrap": (without, ("bubblewrap is not here", "apt-get install bubblewrap")),
    "bwrap fails": (failing, ("Creating new namespace failed", "forbid user namespaces")),
    "macOS": (elsewhere("darwin"), ("needs Linux", "in a container on this system")),
    "Windows": (elsewhere("win32"), ("needs Linux", "in a container on this system")),
}


@pytest.fixture(params=WAYS)
def hints(request, monkeypatch, tmp_path):
    """What must be said; there is no sandbox any more."""
    prepare, said = WAYS[request.param]
    nurseries.end_nurseries()
    folder = tmp_path / "path"
    folder.mkdir()
    prepare(monkeypatch, folder)
    return said


def test_the_way_out_is_said(hints):
    said = sandbox.problem()
    assert all(hint in said for hint in hints)
    assert "docs/container.md" in said and "--trust-submissions" in said


def test_grading_refuses_and_nobody_gets_a_grade(hints, own_tiny, tito):
    hand_in(own_tiny, A, "ann", {})
    code, _, err = tito("--root", own_tiny.root, "grade", A)
    said = " ".join(err.split())
    assert code == 1
    assert all(hint in said for hint in hints) and "docs/container.md" in said
    assert "Traceback" not in err
    result = NbGraderAPI(config=own_tiny.nbgrader_config()).autograde(A, "ann")
    assert not result["success"] and hints[0] in result["log"]
    assert [row.score for row in report.report(own_tiny, A).rows] == [None]


@pytest.mark.parametrize("hints", ["no bwrap"], indirect=True)
def test_trusted_submissions_are_graded_and_every_page_says_so(hints, own_tiny):
    hand_in(own_tiny, A, "ann", {})
    (outcome,) = batch.grade(own_tiny, A, trusted=True)
    assert (outcome.state, outcome.score) == ("graded", 3)
    feedback_pages.feedback(own_tiny, A)
    page = (own_tiny.feedback / "ann" / A / f"{NB}.html").read_text()
    assert "it was graded without a sandbox" in page
    assert [row.trusted for row in report.report(own_tiny, A).rows] == [True]


class Reached(Exception):
    """Grading has been called."""


def test_an_answer_that_has_hung_gets_less_time_without_a_sandbox_too():
    execute = IsolatedExecute(timeout=20)
    cell = new_code_cell(metadata={"nbgrader": {"grade_id": "test_two_hidden_shapes"}})
    seconds = []
    for hangs in (0, 1, 2, 9):
        execute._hangs = Counter(two=hangs)
        seconds.append(execute._time_for(cell))
    assert seconds == [20, 10, 5, 3]


@pytest.mark.parametrize("missing", ["bubblewrap is not here.", ""])
def test_the_demo_trusts_its_own_class_only_where_it_must(missing, monkeypatch, repo, tmp_path):
    asked = []

    def grade(*args, trusted, **options):
        asked.append(trusted)
        raise Reached

    monkeypatch.setattr(sandbox, "problem", lambda: missing)
    monkeypatch.setattr(batch, "grade", grade)
    monkeypatch.setattr(demo, "_fresh_course", lambda project: Project(tmp_path))
    for step in ("build", "release"):
        monkeypatch.setattr(demo, step, lambda *_: None)
    monkeypatch.setattr(demo.submissions, "write_class", lambda *_: {})
    with pytest.raises(Reached):
        demo.run_demo(Project(repo))
    assert asked == [bool(missing)]


def test_no_process_is_started_for_nothing(hints, released_tiny):
    with pytest.raises(sandbox.NoSandbox):
        nurseries.nursery_of(released_tiny, read_source(released_tiny, A))
