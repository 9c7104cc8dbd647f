"""A judge and its verdicts: silence is zero, and whatever ends, the next question is answered."""

import contextlib
import os
import signal
import time
from copy import deepcopy
from pathlib import Path

import pytest
from class_courses import tiny_course
from nbformat import v4
from trial_lesson import CELLS, A, _cell, write_lesson

from tinytorch.course.isolation import named_cells, read_source
from tinytorch.course.judging import GraderFault, Limits, answers_of, judge_notebook
from tinytorch.course.nurseries import nursery_of, open_lines

CHANNEL = Path(__file__).parents[1] / "submissions" / "hostile" / "_channel.py"
RIGHT = {"double": "def double(x):\n    return 2 * x", "triple": "def triple(x):\n    return 3 * x"}
VALUES, ERRORS = "test_double_hidden_values", "test_double_hidden_errors"
CARELESS = "test_triple_hidden_careless"
TESTS = ("test_double", VALUES, ERRORS, "test_triple", CARELESS)  # hidden ones run last
SWALLOWS = "try:\n    triple(9)\nexcept BaseException:\n    pass"


@pytest.fixture(scope="module")
def source(repo, tmp_path_factory):
    project = tiny_course(repo, tmp_path_factory.mktemp("judged"))
    write_lesson(project, [*CELLS, _cell(CARELESS, SWALLOWS, 5)])
    return project, read_source(project, A)


@pytest.fixture(scope="module")
def lesson(source):
    return source[1]


@pytest.fixture(scope="module")
def judge(source, sandbox):
    """Judges answers, by grade_id, and cells of the student's own in front of them.

    Of the states all but the last are returned, which is about a test that looks at nothing.
    """
    project, lesson = source
    nursery = nursery_of(project, lesson)

    def run(answers=None, own=None, limits=None, files=None, seed=0):
        notebook = deepcopy(lesson)
        for name, text in (RIGHT | (answers or {})).items():
            named_cells(notebook)[name].source = text
        for name, texts in (own or {}).items():
            at = place(notebook, name)
            texts = [texts] if isinstance(texts, str) else texts
            notebook.cells[at:at] = [v4.new_code_cell(text) for text in texts]
        judged = judge_notebook(notebook, lesson, nursery, seed, files, limits)
        assert tuple(judged.states) == TESTS
        run.careless = judged.states[CARELESS]
        return list(judged.states.values())[:-1], notebook

    yield run
    nursery.close()


def place(notebook, name):
    return next(i for i, cell in enumerate(notebook.cells) if cell is named_cells(notebook)[name])


def said(notebook, name):
    """What stands below a cell."""
    outputs = named_cells(notebook)[name].outputs
    return "".join(o.get("text", "") + "\n".join(o.get("traceback", [])) for o in outputs)


def shown(notebook):
    """What the cells have put out as text."""
    return "".join(o.get("text", "") for cell in notebook.cells for o in cell.get("outputs", []))


# Verdicts, whoever says them


class Told:
    """Plays a nursery whose judge says this, and no more."""

    sandbox = "none"

    def __init__(self, *words):
        self.words = words

    def judge(self, order, seconds):
        self.order = order
        yield from self.words


END = {"end": True, "seconds": {}}


def judged(lesson, *words, **limits):
    notebook = deepcopy(lesson)
    return judge_notebook(notebook, lesson, Told(*words), 0, None, Limits(**limits)), notebook


def verdict(lesson, name, state, *outputs):
    return {"index": place(lesson, name), "state": state, "outputs": list(outputs)}


def test_a_test_that_nobody_spoke_of_did_not_run(lesson):
    found, notebook = judged(lesson, END)
    assert found.states == dict.fromkeys(TESTS, "not run")
    assert all("DidNotRun" in said(notebook, name) for name in TESTS)


def test_only_passed_is_passed(lesson):
    states = ("passed", "failed", "died")
    words = [verdict(lesson, *pair) for pair in zip(TESTS, states, strict=False)]
    found, notebook = judged(lesson, *words, END)
    assert tuple(found.states.values()) == (*states, "not run", "not run")
    assert said(notebook, "test_double") == ""
    for name in TESTS[1:]:
        assert "DidNotRun" in said(notebook, name), "a test cell without an error gets its points"


def test_of_a_cell_that_is_no_test_nothing_is_believed(lesson):
    found, _ = judged(lesson, verdict(lesson, "double", "passed"), END)
    assert set(found.states.values()) == {"not run"}


def test_what_stood_there_before_is_gone(lesson):
    notebook = deepcopy(lesson)
    for cell in named_cells(notebook).values():
        cell.outputs = [v4.new_output("stream", text="full marks")]
        cell.metadata.tags = ["raises-exception"]
    judge_notebook(notebook, lesson, Told(END), 0)
    assert "full marks" not in shown(notebook)
    assert "tags" not in named_cells(notebook)["test_double"].metadata


def test_a_judge_that_falls_silent_is_the_graders_fault(lesson):
    with pytest.raises(GraderFault, match="before its verdict"):
        judged(lesson, verdict(lesson, "test_double", "passed"))
    with pytest.raises(GraderFault, match="OSError: no space"):
        judged(lesson, {"broken": "Traceback\nOSError: no space"})


def test_a_submission_that_is_late_keeps_what_it_had(lesson):
    found, notebook = judged(lesson, verdict(lesson, "test_double", "passed"), submission=0.0)
    assert found.late and list(found.states.values()) == ["passed", *["not run"] * 4]
    assert "were over" in said(notebook, "test_triple")


def test_what_a_test_prints_costs_nothing(lesson):
    """nbgrader scores whatever stands on stderr as 0."""
    warning = v4.new_output("stream", name="stderr", text="a warning")
    _, notebook = judged(lesson, verdict(lesson, "test_double", "passed", warning), END)
    assert [output.name for output in named_cells(notebook)["test_double"].outputs] == ["stdout"]


def test_names_and_tests_are_those_of_the_instructors_notebook(lesson):
    notebook, told = deepcopy(lesson), Told(END)
    named_cells(notebook)["double"].source = "def something_else(): pass"
    judge_notebook(notebook, lesson, told, 3, {"a.txt": b"\x00"}, Limits(call=7))
    cells = {cell["label"]: cell for cell in told.order["cells"]}
    assert answers_of(lesson) == {"double": ["double"], "triple": ["triple"]}
    assert cells["double"]["names"] == ["double"] and cells["double"]["role"] == "student"
    assert cells["setup"]["role"] == "locked" and cells["test_double"]["role"] == "test"
    assert [cell["label"] for cell in told.order["cells"] if cell["hidden"]] == [
        VALUES,
        ERRORS,
        CARELESS,
    ]
    assert (told.order["seed"], told.order["companions"]) == (3, {"a.txt": "00"})
    assert told.order["budget"]["call"] == 7


# Verdicts of a judge


def test_right_answers_pass(judge):
    states, notebook = judge()
    assert states == ["passed"] * 4 and not any(said(notebook, name) for name in TESTS)


def test_a_wrong_answer_costs_its_own_tests(judge):
    states, notebook = judge({"double": "def double(x):\n    return x + 2"})
    assert states == ["passed", "failed", "failed", "passed"]
    assert "came back as something else" in said(notebook, VALUES)


@pytest.mark.parametrize("text", ["", "double = 3", "def double(x:", "raise SystemExit"])
def test_an_answer_that_is_none_costs_its_own_tests(text, judge):
    assert judge({"double": text})[0] == ["failed"] * 3 + ["passed"]


ENDS = {
    "os._exit(0)": "died",
    "os.kill(os.getpid(), 11)": "died",
    "os.kill(os.getpid(), 9)": "died",  # once more, and again
    "time.sleep(600)": "hung",
}


@pytest.mark.parametrize("how", ENDS)
def test_after_an_end_the_next_question_meets_a_fresh_process(how, judge):
    own = f"""\
import os, time
calls = []
def note(x):
    calls.append(x)
    print("call", len(calls))
    if x == 7:
        {how}
"""
    double = "def double(x):\n    note(x)\n    return 2 * x"
    states, notebook = judge({"double": double}, {"double": own}, Limits(call=3))
    assert states == ["passed", ENDS[how], "passed", "passed"]
    assert said(notebook, "test_double") == said(notebook, ERRORS) == "call 1\n"
    names = {"died": "KernelDied", "hung": "CellTimeoutError"}
    assert names[ENDS[how]] in said(notebook, VALUES)


def test_a_test_is_not_passed_by_a_process_that_did_not_survive_it(judge):
    judge()
    assert judge.careless == "passed"
    triple = "import os\ndef triple(x):\n    return 3 * x if x < 9 else os._exit(0)"
    states, notebook = judge({"triple": triple})
    assert states == ["passed"] * 4 and judge.careless == "died"
    assert "KernelDied" in said(notebook, CARELESS)


def test_a_cell_that_ends_the_process_is_not_run_again(judge):
    states, notebook = judge(own={"triple": "import os\nos._exit(0)"})
    assert states == ["passed"] * 4
    assert "KernelDied" in str(notebook.cells[place(notebook, "triple") - 1].outputs)


def test_an_answer_that_hung_has_less_time_from_then_on(judge):
    """Or the tests of one that always hangs would take the time of many submissions."""
    double = "import time\ndef double(x):\n    time.sleep(600)"
    states, notebook = judge({"double": double}, limits=Limits(call=4.0))
    assert states == ["hung"] * 3 + ["passed"]
    for name, seconds in zip(TESTS, ("4", "3", "3"), strict=False):
        assert f"did not answer for {seconds} s" in said(notebook, name)


def test_errors_named_like_the_judges_own_do_no_harm(judge):
    double = """\
class Fault(BaseException): state = "passed"
class GraderFault(RuntimeError): pass
class DidNotRun(BaseException): pass
def double(x):
    if x == 2:
        raise Fault("passed")
    if x == "a":
        raise DidNotRun("passed")
    raise GraderFault("the nursery is gone")
"""
    states, notebook = judge({"double": double})
    assert states == ["failed"] * 3 + ["passed"]
    assert "StudentError: Fault: passed" in said(notebook, "test_double")


def test_too_much_memory_and_too_many_processes_cost_the_test(judge):
    double = """\
import os, time
kept = []
def double(x):
    if x == 7:
        kept.append(bytearray(300 << 20))
        time.sleep(600)
    if x == "a":
        for _ in range(40):
            os.fork() or time.sleep(600)
        time.sleep(600)
    return 2 * x
"""
    states, _ = judge({"double": double}, limits=Limits(memory=150 << 20, tasks=30))
    assert states[:2] + states[3:] == ["passed", "died", "passed"]
    assert states[2] in ("died", "failed")  # where a control group keeps bounds, the fork fails


def test_of_the_environment_the_student_sees_nothing(judge):
    own = "import os\nprint(*sorted(os.environ))"
    _, notebook = judge(own={"double": own}, seed=4711)
    assert shown(notebook).split() == [
        "HOME", "IPYTHONDIR", "LANG", "MPLBACKEND", "MPLCONFIGDIR", "PATH",
        "PYTHONDONTWRITEBYTECODE", "TMPDIR",
    ]  # fmt: skip


def test_a_student_finds_the_package_and_their_files_and_not_the_course(judge):
    own = """\
import importlib, os, sys
print(open("notes.txt").read(), os.getcwd())
def there(name):
    try:
        return bool(importlib.import_module(f"tinytorch.{name}"))
    except ImportError:
        return False
print([there(name) for name in ("core.tensor", "lab.expect", "course", "core.kernels")])
print([name for name in sys.modules if name.startswith("tinytorch.course")])
"""
    _, notebook = judge(own={"double": own}, files={"notes.txt": b"beside"})
    assert shown(notebook).splitlines() == ["beside /tmp/work", "[True, True, False, False]", "[]"]


def test_one_submission_leaves_nothing_to_the_next(judge):
    own = """\
import builtins, os
places = ["/tmp/mine", "/dev/shm/mine"]
print([os.path.exists(place) for place in places], hasattr(builtins, "mine"))
for place in places:
    open(place, "w").close()
builtins.mine = 1
"""
    for _ in range(2):
        _, notebook = judge(own={"double": own})
        assert shown(notebook).strip() == "[False, False] False"


def test_of_outputs_bounded_text_is_kept(judge):
    own = """\
from IPython.display import HTML, display
display(HTML("<script>alert(1)</script>"))
print("x" * 100_000)
"""
    _, notebook = judge(own={"double": own})
    outputs = notebook.cells[place(notebook, "double") - 1].outputs
    assert [sorted(output.get("data", {})) for output in outputs] == [["text/plain"], []]
    assert len(outputs[1].text) <= 20_000


# What the hostile corpus relies on

REACH = """\
import os
child = find_child()
print("child", child is not None and child.channel is find_socket(), callable(child._answer))
def forge(message):
    if message["kind"] == "call" and message["target"] == ["double"]:
        (value,) = message["args"][1:]
        say(frame(result(message["id"], 2 * value)))
watch_requests(forge)
"""


def test_attacks_on_the_channel_reach_it(judge):
    """Some twenty entries would do nothing, and pass, if what _channel.py looks for were renamed.

    Here it forges the right results of an answer that has none: they arrive, and count.
    """
    channel = CHANNEL.read_text(encoding="utf-8")
    double = "def double(x):\n    raise NotImplementedError"
    states, notebook = judge({"double": double}, {"double": [channel, REACH]})
    assert shown(notebook).startswith("child True True\n")
    assert states == ["passed"] * 4
    assert judge({"double": double})[0] == ["failed"] * 3 + ["passed"]


def children(pid):
    return {int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def test_a_judge_ends_when_whoever_asked_for_it_is_killed(source, judge):
    project, lesson = source
    nursery = nursery_of(project, lesson)  # the one that `judge` has
    before = children(nursery.process.pid)
    asking = os.fork()
    if asking == 0:
        with contextlib.suppress(BaseException):
            judge(own={"double": "import time\ntime.sleep(80)"})
        os._exit(1)
    until = time.monotonic() + 60
    while not (judges := children(nursery.process.pid) - before):
        assert time.monotonic() < until and not os.waitpid(asking, os.WNOHANG)[0]
        time.sleep(0.05)
    time.sleep(1)  # it has its orders, and the student's cell sleeps
    os.kill(asking, signal.SIGKILL)
    os.waitpid(asking, 0)
    while children(nursery.process.pid) & judges:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert judge()[0] == ["passed"] * 4


def test_other_processes_have_judges_forked_by_the_same_nursery(source, judge):
    project, lesson = source
    nursery = nursery_of(project, lesson)
    (line,) = [line for line in open_lines() if line.key == nursery.key]
    notebook = deepcopy(lesson)
    judged = judge_notebook(notebook, lesson, line, 0)
    assert line.is_open() and set(judged.states) == set(TESTS)
    assert judge()[0] == ["passed"] * 4
