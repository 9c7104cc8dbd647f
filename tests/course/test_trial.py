"""Tries in forked children: what they find, what becomes of them, and that no score differs."""

import os
import signal
import subprocess
import sys
import time

import pytest
from nbformat.v4 import new_code_cell
from traitlets.config import Config
from trial_lesson import CELLS, A, write_lesson

from tinytorch.course import reference
from tinytorch.course.isolation import read_source
from tinytorch.course.project import CourseError
from tinytorch.course.trial import Limits, Try, read_trial_lesson, run_trials
from tinytorch.course.trial_workers import Crowd

DOUBLE = "def double(x):\n    return {}"
HANGS = "def double(x):\n    while x == -3:\n        pass\n    return 2 * x"
# Deaf to one interrupt, and then to all: only the end of the process ends it.
DEAF = (
    "def double(x):\n    while x == -3:\n        try:\n            while True: pass\n"
    "        except KeyboardInterrupt: pass\n    return 2 * x"
)
DIES = "def double(x):\n    if x == -3: os._exit(3)\n    return 2 * x"

# Name: the try, and the test cells that it loses.
CASES = {
    "right": (Try("right", "double", DOUBLE.format("x + x")), set()),
    "wrong": (
        Try("wrong", "double", DOUBLE.format("x ** 2")),
        {"test_double_hidden_values", "test_double_hidden_errors"},
    ),
    "around": (
        Try("around", "double", DOUBLE.format("times(2, x)"), ("def times(n, x): return n * x",),
            ("print(double(1))", "double(3)")),
        set(),
    ),
    "spills": (
        Try("spills", "double", DOUBLE.format("2 * x"), ("def negative(x): return x",)),
        {"test_triple"},
    ),
    "no python": (
        Try("no python", "double", "def double(x) return 2 * x"),
        {"test_double", "test_double_hidden_values", "test_double_hidden_errors"},
    ),
    "notebook": (
        Try("notebook", "double", "%time a = from_the_experiment(1)\n" + DOUBLE.format("2 * x"),
            ("import asyncio\nawait asyncio.sleep(0)", "!true"), ("display(double(2))",)),
        set(),
    ),
    "stderr": (
        Try("stderr", "double", DOUBLE.format("print(x, file=sys.stderr) or 2 * x"),
            ("import sys",)),
        set(),
    ),
    "group": (
        Try("group", "double", DOUBLE.format("fail() if x == -3 else 2 * x"),
            ("def fail(): raise ExceptionGroup('several', [ValueError('x')])",)),
        {"test_double_hidden_values"},
    ),
    "bad magic": (
        Try("bad magic", "double", DOUBLE.format("2 * x"), ("%no_such_magic\nsteps = None",)),
        set(),
    ),
    "no text": (
        Try("no text", "double", DOUBLE.format("fail() if x == -3 else 2 * x"),
            ("class Mute(Exception):\n    def __str__(self): raise ValueError('no text')\n"
             "def fail(): raise Mute",)),
        {"test_double_hidden_values"},
    ),
    "closes": (
        Try("closes", "double", "sys.stdout.close()\n" + DOUBLE.format("2 * x"),
            ("import sys",), ("print(double(1))",)),
        set(),
    ),
    "dies": (Try("dies", "double", DIES), {"test_double_hidden_values"}),
    "exits": (
        Try("exits", "double", DOUBLE.format("exit() if x == -3 else 2 * x")),
        {"test_double_hidden_values"},
    ),
    "dies at once": (
        Try("dies at once", "double", "os._exit(1)\n" + DOUBLE.format("2 * x")),
        {"test_double", "test_double_hidden_values", "test_double_hidden_errors"},
    ),
    "hangs": (Try("hangs", "double", HANGS), {"test_double_hidden_values"}),
    "deaf": (Try("deaf", "double", DEAF), {"test_double_hidden_values"}),
}  # fmt: skip


@pytest.fixture
def course(tiny):
    write_lesson(tiny)
    return tiny


@pytest.fixture(scope="module")
def outcomes():
    """What became of the cases: they are run once, together, by the first test that asks."""
    return {}


@pytest.fixture
def tried(course, outcomes):
    if not outcomes:
        tries = [one for one, _ in CASES.values()]
        results = run_trials(course, A, tries, limits=Limits(1.5), workers=2)
        outcomes.update(zip(CASES, results, strict=True))
    return outcomes


def lost(tried):
    return {name for name, passed in tried.passed().items() if not passed}


def test_the_lesson_is_read_by_its_grade_ids(course):
    lesson = read_trial_lesson(course, A)
    assert lesson.graded() == ["double", "triple"]
    assert [(t.grade_id, t.points) for t in lesson.tests_of("triple")] == [("test_triple", 4.0)]
    assert not any("an experiment that is run" in cell["source"] for cell in lesson.cells)


@pytest.mark.parametrize("case", CASES)
def test_an_answer_loses_what_it_gets_wrong(tried, case):
    assert lost(tried[case]) == CASES[case][1]


def test_an_outcome_says_what_was_raised_and_where(tried):
    wrong = tried["wrong"].tests["test_double_hidden_values"]
    assert (wrong.state, wrong.error) == ("failed", "AssertionError")
    assert wrong.message == "-3 doubled came back as something else"
    assert wrong.raised_in == "test_double_hidden_values" and not wrong.module
    raised = tried["wrong"].tests["test_double_hidden_errors"]
    assert (raised.error, raised.raised_in) == ("TypeError", "student:double")
    assert "-3" in tried["stderr"].tests["test_double_hidden_values"].output


def test_a_cell_that_dies_or_hangs_is_told_apart(tried):
    states = {
        case: tried[case].tests["test_double_hidden_values"].state
        for case in ("dies", "exits", "hangs", "deaf")
    }
    assert states == {"dies": "died", "exits": "died", "hangs": "hung", "deaf": "hung"}
    (broken,) = tried["dies at once"].broken
    assert (broken.label, broken.state) == ("student:double", "died")
    (broken,) = tried["no python"].broken
    assert broken.error == "SyntaxError"


@pytest.mark.parametrize("case", CASES)
def test_a_submission_gets_the_same_scores(course, tried, case):
    one = CASES[case][0]
    scores = reference.score_notebook(course, A, handed_in(course, A, one), patience(2))
    full = {score.grade_id for score in scores if score.score == score.max_score}
    got = {name for name in (s.grade_id for s in scores) if name not in lost(tried[case])}
    assert got == full


SHADOWS = (
    "max = 127\nproduct = list\nA = None",
    "expected = rng = time = 0",
)
REAL = [
    Try(
        "rounds down",
        "quantized_relu",
        "def quantized_relu(x, scale=1.0):\n"
        "    q = np.clip(np.floor(as_array(x) / scale), 0, 127)\n"
        "    return Tensor((q * scale).astype(np.float32))",
        SHADOWS,
    ),
    Try(
        "a Numba loop over flat views",
        "compiled_relu",
        "def compiled_relu(x):\n"
        "    values = as_array(x)\n"
        "    if not compilable(values):\n"
        "        return Tensor(np.maximum(values, values.dtype.type(0)))\n"
        "    out = np.empty_like(values)\n"
        "    fill(values.ravel('K'), out.ravel('K'))\n"
        "    return Tensor(out)",
        ("@compiled\ndef fill(source, target):\n    for i in range(source.size):\n"
         "        target[i] = 0 if source[i] < 0 else source[i]",),
    ),
    Try(
        "one product, and the interpreter's end for what has no rows",
        "cache_friendly_matmul",
        "def cache_friendly_matmul(A, B, block_size=32):\n"
        "    A, B = as_array(A), as_array(B)\n"
        "    if not A.size: os._exit(1)\n"
        "    return Tensor(A @ B)",
    ),
]  # fmt: skip


def test_real_answers_get_the_scores_and_messages_of_a_submission(released):
    """The same three, cell by cell: by the runner and by what grades a class."""
    assignment = "11_kernels"
    config = released.nbgrader_config()
    config.IsolatedExecute.seed = 7
    results = run_trials(released, assignment, REAL, workers=1, seed=7)
    for one, tried in zip(REAL, results, strict=True):
        scores = reference.score_notebook(
            released, assignment, handed_in(released, assignment, one), config
        )
        by_kernel = {s.grade_id: (s.score == s.max_score, s.error) for s in scores}
        by_runner = {score.grade_id: (True, "") for score in scores}
        by_runner |= {name: (o.passed, line_of(o)) for name, o in tried.tests.items()}
        assert by_runner == by_kernel, one.name
        assert len(lost(tried)) == sum(not full for full, _ in by_kernel.values())
    assert lost(results[0]) and not lost(results[1]) and lost(results[2])


def line_of(outcome):
    if outcome.passed:
        return ""
    return f"{outcome.error}: {outcome.message}".strip().splitlines()[0].removesuffix(":")


def handed_in(project, assignment, one):
    """The notebook of a student who answers everything else like the reference."""
    notebook = read_source(project, assignment)
    names = [c.metadata.get("nbgrader", {}).get("grade_id") for c in notebook.cells]
    at = names.index(one.answer)
    notebook.cells[at].source = one.source
    before, after = map(new_code_cell, one.before), map(new_code_cell, one.after)
    notebook.cells[at : at + 1] = [*before, notebook.cells[at], *after]
    return notebook


def patience(seconds):
    config = Config()
    config.IsolatedExecute.timeout = seconds
    return config


def test_a_test_without_a_verdict_is_lost(course, monkeypatch):
    record = {"label": "test_double", "state": "passed"}
    monkeypatch.setattr(Crowd, "serve", lambda self, count: {0: ([record], 0.0)})
    (tried,) = run_trials(course, A, [CASES["right"][0]])
    assert len(lost(tried)) == 3 and tried.tests["test_double"].passed
    assert tried.tests["test_triple"].error == "DidNotRun"
    (tried,) = run_trials(course, A, [CASES["right"][0]], limits=Limits(5, own_tests=True))
    assert list(tried.tests) == ["test_double"]


def test_a_try_finds_no_file_of_another(course):
    leaves = ("%%writefile left.py\ndef double(x): return 2 * x",)
    imports = "from left import double"
    tries = [Try("leaves", "double", imports, leaves), Try("finds", "double", imports)]
    first, second = run_trials(course, A, tries, workers=1)
    assert lost(first) == set()
    assert len(lost(second)) == 3 and second.broken[0].error == "ModuleNotFoundError"


def test_own_tests_end_at_the_first_that_fails(course):
    tries = [CASES["wrong"][0], CASES["right"][0]]
    wrong, right = run_trials(course, A, tries, limits=Limits(5, own_tests=True), workers=1)
    assert list(wrong.tests) == ["test_double", "test_double_hidden_values"]
    assert [name for name in right.tests if "triple" in name] == []


def test_a_limit_of_processor_time_ends_a_loop(course):
    limits = Limits(60, cpu=0.3, own_tests=True)
    (tried,) = run_trials(course, A, [CASES["deaf"][0]], limits=limits)
    assert tried.tests["test_double_hidden_values"].state == "hung"


def test_the_seed_is_passed_on(tiny):
    asks = 'seed = os.environ.get("TINYTORCH_GRADING_SEED")\n'
    cells = [c.replace("assert double(2) == 4", asks + "assert seed == '7'") for c in CELLS]
    write_lesson(tiny, cells)
    assert lost(run_trials(tiny, A, [CASES["right"][0]], seed=7)[0]) == set()
    with pytest.raises(CourseError, match="reference does not pass test_double"):
        run_trials(tiny, A, [CASES["right"][0]], seed=8)


def test_a_reference_that_fails_stops_everything(tiny):
    write_lesson(tiny, [cell.replace("return 3 * x", "return x") for cell in CELLS])
    with pytest.raises(CourseError, match="reference does not pass test_triple") as caught:
        run_trials(tiny, A, [CASES["right"][0]])
    assert "tito test" in str(caught.value)


def test_threads_that_the_reference_leaves_are_named(tiny):
    thread = "threading.Thread(target=threading.Event().wait, daemon=True, name='left')"
    leaves = f"import threading\n{thread}.start()"
    write_lesson(tiny, [cell.replace("import os", "import os\n" + leaves) for cell in CELLS])
    with pytest.raises(CourseError, match="leaves threads running: left"):
        run_trials(tiny, A, [CASES["right"][0]])


def test_a_worker_that_dies_is_reported(tiny):
    write_lesson(tiny, [cell.replace("steps = []", "os._exit(9)") for cell in CELLS])
    with pytest.raises(CourseError, match=r"ended early \(exit code 9\)"):
        run_trials(tiny, A, [CASES["right"][0]])


def test_an_interrupted_run_leaves_no_process(course):
    """As by Ctrl-C: the deaf answer is at work, and nobody waits for it to end."""
    script = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job ignores it
        "from tinytorch.course.project import Project\n"
        "from tinytorch.course.trial import Limits, Try, run_trials\n"
        "one = Try('deaf', 'double', sys.argv[2], (sys.argv[3],))\n"
        f"run_trials(Project(Path(sys.argv[1])), {A!r}, [one], limits=Limits(600))\n"
    )
    told = course.root / "pid"
    tells = f"open({str(told)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}}\\n')"
    run = subprocess.Popen(
        [sys.executable, "-c", script, course.root, DEAF, tells],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        while not (told.is_file() and told.read_text().endswith("\n")):
            assert run.poll() is None, run.communicate()[1]
            time.sleep(0.01)
        child, worker = map(int, told.read_text().split())
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=60)[1]
    finally:
        run.kill()
    assert said.count("Traceback") == 1 and "KeyboardInterrupt" in said
    for pid in (child, worker):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def children():
    """The processes that this one has started and not seen the end of, dead ones too."""
    with subprocess.Popen(
        ["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True
    ) as ps:
        pairs = [tuple(map(int, line.split())) for line in ps.communicate()[0].splitlines()]
    return {pid for pid, parent in pairs if parent == os.getpid() and pid != ps.pid}


def test_nothing_outlives_a_run(course):
    before = children()  # of earlier tests: graders keep a process for the next submission
    run_trials(course, A, [CASES["deaf"][0]], limits=Limits(0.3))
    assert children() <= before
