"""tito as it is typed: what is printed, and the exit code."""

import os
import shutil
import subprocess
import sys
import types

import pytest

from tinytorch.course import batch, demo, doctor, feedback_pages, reference, report, terminal

A = "01_double"


@pytest.fixture
def at_tiny(tiny, tito):
    return lambda *words: tito("--root", tiny.root, *words)


def test_help_needs_none_of_the_heavy_packages(repo):
    code = (
        "import sys\nsys.argv = ['tito', '--help']\nfrom tinytorch.course.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'numpy', 'nbgrader', 'nbformat', 'nbdev'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repo, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.parametrize("words", [["grade"], ["grade", "--nonsense", "x"], ["fly"], ["release"]])
def test_a_usage_error_is_exit_2(tito, words):
    assert tito(*words)[0] == 2


@pytest.mark.parametrize("command", ["release", "grade", "feedback", "report", "test"])
def test_an_unknown_assignment_is_exit_1_in_two_lines(at_tiny, command):
    code, _, err = at_tiny(command, "99_none")
    assert code == 1
    assert "'99_none'" in err and A in err
    assert "Traceback" not in err and len(err.splitlines()) <= 2


def test_outside_a_course_it_says_so(tito, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = tito("build")
    assert code == 1 and "No course folder" in err


def test_a_root_that_is_no_course_is_refused(tito, tiny):
    code, _, err = tito("--root", tiny.source, "build")
    assert code == 1 and "is not a course folder" in err


def test_check_names_what_is_stale(at_tiny):
    code, out, err = at_tiny("build", "--check")
    assert code == 1
    assert "stale  modules/source/01_double/double_dev.ipynb" in out
    assert "tito build" in err
    assert at_tiny("build")[0] == 0
    assert at_tiny("build", "--check")[:2] == (0, "everything is as new as the lesson\n")


def test_a_failed_submission_is_exit_1_and_named(at_tiny, tiny, monkeypatch):
    def graded(*args, **options):
        return [
            batch.Outcome("ann", "graded", 3.0, 3.0, 1.0, ""),
            batch.Outcome("bob", "failed", None, None, 0.1, "[x] is not a notebook"),
        ]

    monkeypatch.setattr(batch, "grade", graded)
    code, out, err = at_tiny("grade", A)
    assert code == 1
    assert "3/3" in out and "[x] is not a notebook" in out
    assert "1 of 2 could not be graded: bob" in err


def test_grade_passes_its_options_on(at_tiny, monkeypatch):
    seen = []
    monkeypatch.setattr(batch, "grade", lambda *args, **more: seen.append((args[1:], more)) or [])
    words = ("--student", "ann", "--student", "bob", "--force", "--seed", 7, "--trust-submissions")
    assert at_tiny("grade", A, *words, "--workers", 3)[0] == 0
    ((args, more),) = seen
    assert (*args[:3], args[4]) == (A, ["ann", "bob"], True, 7)
    assert more["trusted"] and more["workers"].in_flight == 6
    assert at_tiny("grade", A)[0] == 0
    (*words, _, seed), more = seen[1]
    assert (words, seed, more) == ([A, None, False], None, {"trusted": False, "workers": None})


def test_regrade_passes_its_options_on(at_tiny, monkeypatch):
    seen = []
    monkeypatch.setattr(batch, "regrade", lambda *args, **_: seen.append(args[1:]) or [])
    code, out, _ = at_tiny("regrade", A, "--since-release")
    assert code == 0 and "of the present release" in out
    assert seen == [(A, True)]


def test_a_refused_submission_is_named_and_no_failure(at_tiny, monkeypatch):
    refused = batch.Outcome("bob", "refused", 0.0, 3.0, 0.1, "not a notebook")
    monkeypatch.setattr(batch, "grade", lambda *_, **__: [refused])
    code, out, _ = at_tiny("grade", A)
    assert code == 0 and "0/3" in out and "1 of 1 were refused: bob" in out


def test_workers_of_two_kinds_are_a_contradiction(at_tiny):
    code, _, err = at_tiny("grade", A, "--workers", 2, "--scheduler", "tcp://127.0.0.1:1")
    assert code == 1 and "a scheduler knows its own workers" in err


def test_no_bar_where_nobody_looks_but_a_line_now_and_then(at_tiny, monkeypatch):
    def slow(project, assignment, follow, *_, **__):
        for done in range(3):
            follow(done, 3, "2 graded")
        return []

    monkeypatch.setattr(feedback_pages, "feedback", slow)
    _, out, err = at_tiny("feedback", A)
    assert "\x1b" not in out + err and "of 3" not in err
    monkeypatch.setattr(terminal, "_SECONDS", -1.0)
    assert "feedback: 2 of 3, 2 graded" in at_tiny("feedback", A)[2]


def test_pages_of_some_students_only(at_tiny, monkeypatch):
    seen = []
    monkeypatch.setattr(feedback_pages, "feedback", lambda *_, **more: seen.append(more) or [])
    at_tiny("feedback", A, "--student", "ann", "--student", "bob")
    assert seen == [{"students": ["ann", "bob"]}]


def test_export_writes_into_the_named_package(at_tiny, tiny, tmp_path):
    at_tiny("build")
    (tmp_path / "mine" / "core").mkdir(parents=True)
    assert at_tiny("export", tiny.notebook(A), "--to", tmp_path / "mine")[0] == 0
    assert "def double" in (tmp_path / "mine" / "core" / "kernels.py").read_text()


def test_export_spares_the_reference(at_tiny, tiny, monkeypatch):
    at_tiny("build")
    before = tiny.exported.read_text()
    monkeypatch.chdir(tiny.root)
    code, _, err = at_tiny("export", tiny.notebook(A))
    assert code == 1 and "course's own package" in err
    assert tiny.exported.read_text() == before


@pytest.mark.parametrize("content", ["", "{}", "not json"])
def test_export_of_a_corrupt_notebook_is_exit_1(at_tiny, tmp_path, content):
    (tmp_path / "mine" / "core").mkdir(parents=True)
    (tmp_path / "x.ipynb").write_text(content)
    code, _, err = at_tiny("export", tmp_path / "x.ipynb", "--to", tmp_path / "mine")
    assert code == 1 and "x.ipynb" in err and "Traceback" not in err


def test_test_shows_reference_and_untouched(at_tiny):
    code, out, _ = at_tiny("test")
    assert code == 0
    assert [line.split() for line in out.splitlines() if line.startswith("in all")] == [
        ["in", "all", "3", "3", "0"]
    ]


def test_test_fails_if_a_test_passes_without_an_answer(at_tiny, edit_lesson):
    edit_lesson('assert double(2) == 4, "2 doubled is 4"', "assert double")
    code, out, _ = at_tiny("test", A)
    assert code == 1
    assert "passes without an answer" in out


def test_demo_prints_its_results(at_tiny, tiny, monkeypatch):
    made = demo.Demo(digits="97 %", made=[("the grades", tiny.root / "build" / "x.csv")])
    made.outcomes = [batch.Outcome("jun", "failed", None, None, 0.1, "cut short")]
    made.about = {"jun": "On purpose."}
    monkeypatch.setattr(demo, "run_demo", lambda *args: made)
    code, out, _ = at_tiny("demo")
    assert code == 0
    assert "On purpose. cut short" in out and "97 %" in out and "build/x.csv" in out


def test_the_demo_says_that_it_trusted_its_class(at_tiny, monkeypatch):
    row = report.Row("ana", "graded", None, 3.0, 3.0, trusted=True)
    made = demo.Demo(no_sandbox="bubblewrap is not here.")
    made.grades = report.Report(A, {"double": 3.0}, {}, [row])
    monkeypatch.setattr(demo, "run_demo", lambda *args: made)
    code, out, _ = at_tiny("demo")
    said = " ".join(out.split())
    assert code == 0
    assert "--trust-submissions: 1 of 1 were graded without a sandbox (ana)" in said
    assert "There is no sandbox on this computer." in said and "bubblewrap is not here." in said


@pytest.fixture
def sandbox_problem(monkeypatch):
    """What the sandbox's own examination says here: nothing is wrong, until a test says so."""
    found = types.ModuleType("tinytorch.course.sandbox")
    found.answer = ""
    found.problem = lambda: found.answer
    monkeypatch.setitem(sys.modules, found.__name__, found)
    return found


def test_doctor_says_what_the_sandbox_lacks(at_tiny, sandbox_problem):
    at_tiny("build")
    code, out, _ = at_tiny("doctor")
    assert code == 0, out
    assert "ok    submissions run in a sandbox" in out
    sandbox_problem.answer = "bwrap is not installed: run `apt install bubblewrap`."
    code, out, _ = at_tiny("doctor")
    assert code == 1
    assert "FIX   no sandbox for submissions: bwrap is not installed: run `apt" in out
    assert "docs/container.md" in out


def test_doctor_says_ok_or_what_to_do(at_tiny, sandbox_problem):
    at_tiny("build")
    code, out, _ = at_tiny("doctor")
    assert code == 0, out
    assert {line.split()[0] for line in out.splitlines()} <= {"ok", "note"}


@pytest.mark.parametrize(("user", "said"), [(0, True), (1000, False)])
def test_doctor_says_what_grading_as_root_means(at_tiny, sandbox_problem, monkeypatch, user, said):
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    _, out, _ = at_tiny("doctor")
    assert ("note  you are root" in out) is said


def test_doctor_is_exit_1_if_something_needed_is_missing(at_tiny, monkeypatch):
    monkeypatch.setitem(doctor.NEEDED, "nump_y", "nump_y")
    code, out, _ = at_tiny("doctor")
    assert code == 1
    assert "FIX   nump_y is not installed: run `pip install" in out


def test_doctor_compares_with_constraints(at_tiny, tiny):
    (tiny.root / "constraints.txt").write_text("numpy==1.0\n")
    _, out, _ = at_tiny("doctor")
    assert "run `pip install numpy==1.0`" in out


def test_an_unwritable_file_is_named(at_tiny, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", "gradebook.db")

    monkeypatch.setattr(batch, "grade", refuse)
    code, _, err = at_tiny("grade", A)
    assert code == 1 and "gradebook.db: Permission denied" in err


def test_the_reference_of_the_repository_gets_every_point(released):
    notebook = reference.read_source(released, "11_kernels")
    scores = reference.score_notebook(released, "11_kernels", notebook, trusted=True)
    assert sum(score.score for score in scores) == sum(score.max_score for score in scores) == 100
    assert list((released.build / "compiled").rglob("*.nbc"))


def test_the_untouched_release_gets_none_and_says_what_is_missing(released):
    scores = reference.score_notebook(
        released, "11_kernels", reference.untouched(released, "11_kernels")
    )
    assert sum(score.score for score in scores) == 0
    for score in scores:
        assert score.error.startswith("NotImplementedError"), score


def test_grading_needs_no_activated_environment(released, tmp_path):
    """tito by its path, as a service would call it: nothing of the environment is on PATH."""
    shutil.copytree(released.root, tmp_path / "course")
    (tmp_path / "course" / "gradebook.db").unlink()
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    env |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "tinytorch.course.cli", "release", "11_kernels"],
        cwd=tmp_path / "course",
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_bench_hands_its_arguments_on(tito, repo, monkeypatch):
    monkeypatch.chdir(repo)
    code, _, _ = tito("bench", "--rounds", "1")
    assert code == 2  # the benchmarks' own refusal


def test_bench_outside_the_source_says_so(at_tiny):
    code, _, err = at_tiny("bench")
    assert code == 1 and "benchmarks" in err


def test_lab_starts_in_the_students_folder(at_tiny, tiny, monkeypatch):
    started = []

    def run(command, cwd, env):
        started.append((command, cwd, env))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    code, out, _ = at_tiny("lab", A, "--no-browser")
    ((command, folder, env),) = started
    assert code == 0 and "build/student" in out
    assert command[1:3] == ["-m", "jupyterlab"] and command[3].startswith(
        "--LabApp.default_url=/lab/tree/"
    )
    assert env["PYTHONPATH"] == str(folder)
    notebook = folder / command[3].partition("/lab/tree/")[2]
    assert "### BEGIN SOLUTION" not in notebook.read_text()


def test_a_stop_shows_who_is_done(at_tiny, monkeypatch):
    done = [batch.Outcome("ann", "graded", 3, 3, 0.1, "")]

    def stop(*_, **__):
        raise batch.Stopped(done)

    monkeypatch.setattr(batch, "grade", stop)
    code, out, err = at_tiny("grade", A + "/")
    assert code == 130 and "ann" in out and "goes on where it stopped" in err
    assert "grades all of them again" in at_tiny("grade", A, "--force")[2]


def test_a_release_whose_reference_fails_is_refused(at_tiny, tiny, edit_lesson):
    edit_lesson("twice_as_much = x + x", "twice_as_much = x + x + x")
    code, _, err = at_tiny("release", A)
    assert code == 1 and "reference" in err
    assert not (tiny.release / A).exists()
