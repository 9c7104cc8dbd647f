"""Test cells that look at more than calls and data are refused, with the line and the way out."""

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tinytorch.course.build import build
from tinytorch.course.lesson import read_lesson
from tinytorch.course.lint import Finding, check_tests, refuse_tests
from tinytorch.course.project import CourseError

A = "01_double"
KINDS = {  # grade, locked, solution
    "test": (True, True, False),
    "locked": (False, True, False),
    "answer": (False, False, True),
}


def cell(name: str, source: str, kind: str) -> NotebookNode:
    grade, locked, solution = KINDS[kind]
    meta = {"grade_id": name, "grade": grade, "locked": locked, "solution": solution}
    meta |= {"schema_version": 3, "task": False} | ({"points": 1} if grade else {})
    return new_code_cell(source, id=name, metadata={"nbgrader": meta})


SETUP = """\
import copy, gc, inspect, os, random, sys, threading, time, tracemalloc, types, warnings
import numpy as np
from tinytorch.lab.clock import fake_clock
from tinytorch.lab.expect import attempt, expect_error, expect_tensor, expect_unchanged, instances
SIZES = (1, 2)
"""
ANSWER = """\
TILE = 8
def double(x):
    return x + x
def twice(x):
    return 2 * x
by_name = lambda x: x
"""
CELLS = [
    cell("setup", SETUP, "locked"),
    new_code_cell("def helper(x):\n    return x", id="experiment"),
    cell("double", ANSWER, "answer"),
    cell("Meter", "class Meter:\n    def read(self, fn):\n        return fn()", "answer"),
]

# (id, cell, faulty line, words of the finding, words of the advice)
BAD = [
    ("settrace", "sys.settrace(print)\nassert double(2) == 4", 1, "sys.settrace", "lab.mechanism"),
    (
        "setprofile from sys",
        "from sys import setprofile as watch\nwatch(print)\nassert double(2) == 4",
        2,
        "sys.setprofile",
        "lab.mechanism",
    ),
    (
        "tracemalloc",
        "tracemalloc.start()\nassert double(2) == 4",
        1,
        "tracemalloc.start",
        "lab.mechanism",
    ),
    (
        "cProfile",
        "import cProfile\nwith cProfile.Profile():\n    assert double(2) == 4",
        2,
        "cProfile.Profile",
        "lab.mechanism",
    ),
    (
        "trace module",
        "import trace as t\nt.Trace().runfunc(double, 2)\nassert double(2) == 4",
        2,
        "trace.Trace",
        "lab.mechanism",
    ),
    (
        "lab's instrument by hand",
        "from tinytorch.lab.trace import trace\nassert len(trace(double, np.ones(3))) < 9",
        2,
        "lab.trace.trace",
        "lab.mechanism",
    ),
    ("numpy seed", "np.random.seed(0)\nassert double(2) == 4", 1, "numpy.random.seed", "pass it"),
    ("python seed", "random.seed(0)\nassert double(2) == 4", 1, "random.seed", "pass it"),
    (
        "patched module",
        "time.perf_counter = lambda: 0.0\nassert double(2) == 4",
        1,
        "time.perf_counter is changed",
        "fake_clock",
    ),
    (
        "patched builtins",
        "import builtins\nbuiltins.sum = None\nassert double(2) == 4",
        2,
        "builtins.sum is changed",
        "as an argument",
    ),
    (
        "patched globals",
        "globals()['sum'] = None\nassert double(2) == 4",
        1,
        "globals()['sum'] is changed",
        "as an argument",
    ),
    (
        "setattr on a module",
        "setattr(np, 'dot', None)\nassert double(2) == 4",
        1,
        "np is changed",
        "as an argument",
    ),
    (
        "unittest.mock",
        "from unittest import mock\nwith mock.patch('time.time'):\n    assert double(2) == 4",
        2,
        "unittest.mock.patch is changed",
        "fake_clock",
    ),
    (
        "attribute of a student's class",
        "Meter.unit = 's'\nassert Meter().read(abs)",
        1,
        "Meter.unit is set",
        "constructor",
    ),
    (
        "attribute of a student's object",
        "meter = Meter()\nmeter.unit = 's'\nassert meter.read(int) == 0",
        2,
        "meter.unit is set",
        "constructor",
    ),
    (
        "setattr on a student's object",
        "setattr(Meter(), 'unit', 1)\nassert double(2) == 4",
        1,
        "setattr(Meter(), 'unit', 1) is set",
        "constructor",
    ),
    (
        "subclass",
        "class Mine(Meter):\n    pass\nassert Mine().read(int) == 0",
        1,
        "class Mine",
        "make an instance",
    ),
    (
        "isinstance",
        "meter = Meter()\nassert isinstance(meter, (int, Meter))",
        2,
        "is asked for its class",
        "call it",
    ),
    (
        "issubclass",
        "assert issubclass(Meter, object)",
        1,
        "Meter is asked for its class",
        "call it",
    ),
    ("type", "assert type(double) is types.FunctionType", 1, "double is asked", "call it"),
    (
        "match",
        "match Meter():\n    case Meter():\n        assert double(2) == 4",
        2,
        "Meter is asked for its class",
        "call it",
    ),
    ("code object", "assert double.__code__.co_argcount == 1", 1, "double.__code__", "mechanism"),
    (
        "closure through an alias",
        "f = double\nassert not f.__closure__",
        2,
        "f.__closure__",
        "call",
    ),
    ("docstring", "assert double.__doc__", 1, "double.__doc__ is an attribute", "call it"),
    ("getattr", "assert getattr(double, '__wrapped__', 1)", 1, "'__wrapped__', 1)", "call it"),
    ("a method's code", "assert Meter.read.__code__", 1, "Meter.read.__code__", "call it"),
    (
        "source",
        "assert 'for' not in inspect.getsource(double)",
        1,
        "inspect.getsource looks into",
        "call it",
    ),
    ("deepcopy", "assert copy.deepcopy(Meter()).read(int) == 0", 1, "copy.deepcopy", "call it"),
    ("is another", "assert double is not twice", 1, "double is compared as an object", "call it"),
    ("equals", "assert Meter() == Meter()", 1, "Meter() is compared as an object", "call it"),
    (
        "operator",
        "meter = Meter()\nassert (meter + 1).read",
        2,
        "meter is used with an operator",
        "call a method",
    ),
    ("length", "assert len(Meter()) == 0", 1, "Meter() is used with an operator", "call a method"),
    (
        "generator passed",
        "assert double(i for i in range(3))",
        1,
        "is a generator",
        "a list or a tuple",
    ),
    (
        "iterator passed to attempt",
        "items = zip('ab', 'cd')\ngot = attempt(double, items)\nassert got",
        2,
        "items is a generator or an iterator",
        "a list or a tuple",
    ),
    (
        "own generator function",
        "def ones():\n    yield 1\ndouble(ones())\nassert double(2) == 4",
        3,
        "ones() is a generator",
        "a list or a tuple",
    ),
    (
        "iterator to a method",
        "import itertools\nassert Meter().read(itertools.count()) == 0",
        2,
        "itertools.count() is a generator",
        "a list or a tuple",
    ),
    (
        "iterator expected",
        "got = double(2)\nassert next(got) == 4",
        2,
        "next(got) expects",
        "list, tuple or array",
    ),
    (
        "generator type expected",
        "got = attempt(double, 2)\nassert isinstance(got, types.GeneratorType)",
        2,
        "expects a generator",
        "list, tuple or array",
    ),
    ("function returned", "assert double(2)(3) == 6", 1, "double(2) calls what", "all its arg"),
    (
        "function returned, later",
        "by = attempt(double, 2)\nassert by(3) == 6",
        2,
        "by calls what",
        "all its arguments",
    ),
    ("callable result", "assert callable(double(2))", 1, "callable(double(2))", "all its arg"),
    (
        "await",
        "async def check():\n    assert await double(2)\ncheck().send(None)\nassert double(2) == 4",
        2,
        "await: calls",
        "expect_at_once",
    ),
    ("gc", "assert double(2) == 4\nassert gc.isenabled()", 2, "gc.isenabled", "process_of"),
    (
        "tracing left on",
        "assert double(2) == 4\nassert not tracemalloc.is_tracing()",
        2,
        "tracemalloc.is_tracing",
        "process_of(answer).state()",
    ),
    ("process id", "assert double(2) != os.getpid()", 1, "os.getpid", "process_of"),
    (
        "threads left",
        "double(2)\nassert threading.active_count() == 1",
        2,
        "threading.active_count",
        "process_of",
    ),
    (
        "thread ids",
        "ids = []\nMeter().read(lambda: ids.append(threading.get_ident()))\nassert len(ids) == 1",
        2,
        "threading.get_ident",
        "expect_at_once",
    ),
    ("modules", "double(2)\nassert 'torch' not in sys.modules", 2, "sys.modules", "process_of"),
    (
        "environment",
        "os.environ['SIZE'] = '3'\nassert double(2) == 4",
        1,
        "os.environ sees",
        "as an argument",
    ),
    (
        "working directory",
        "os.chdir('/')\nassert double(2) == 4",
        1,
        "os.chdir sees the grader's process",
        "locked setup cell",
    ),
    (
        "errstate",
        "with np.errstate(all='raise'):\n    assert double(2) == 4",
        1,
        "numpy.errstate",
        "locked setup cell",
    ),
    (
        "sleep",
        "assert Meter().read(lambda: time.sleep(1)) is None",
        1,
        "time.sleep",
        "threading.Event",
    ),
    (
        "timing",
        "start = time.perf_counter()\ndouble(2)\ntook = time.perf_counter() - start\n"
        "slow = took > 1\nassert not slow",
        5,
        "wall time decides",
        "expect_no_loop",
    ),
    (
        "timing with an if",
        "start = time.time()\ndouble(2)\nif time.time() - start > 1:\n"
        "    raise AssertionError('slow')",
        3,
        "wall time decides",
        "fake_clock",
    ),
    (
        "shared memory",
        "x = np.ones(3)\nassert not np.shares_memory(double(x), x)",
        2,
        "numpy.shares_memory",
        "expect_unchanged",
    ),
    (
        "identity",
        "x = np.ones(3)\ngot = attempt(double, x)\nassert got is not x",
        3,
        "got is not x",
        "expect_unchanged",
    ),
    (
        "identity of a part",
        "x = np.ones(3)\nassert double(x).data is not x",
        2,
        "double(x).data is not x",
        "expect_unchanged",
    ),
    ("constant", "assert double(2) == TILE / 2", 1, "TILE is a value", "let a function return it"),
    ("assigned function", "assert by_name(2) == 2", 1, "by_name is a value", "let a function"),
    (
        "name of an experiment",
        "assert double(2) == helper(4)",
        1,
        "helper is defined in a cell that the tests do not run",
        "a locked setup cell",
    ),
    ("line magic", "%time double(2)\nassert double(2) == 4", 1, "an IPython command", "in Python"),
    ("shell", "assert double(2) == 4\nfiles = !ls", 2, "an IPython command", "in Python"),
    ("get_ipython", "get_ipython().reset()\nassert double(2) == 4", 1, "an IPython", "in Python"),
    ("last value", "assert double(2) == 4\nTrue", 2, "ends with a value", "with an assert"),
    (
        "last value of a call",
        "def check():\n    assert double(2) == 4\n    return 1\ncheck()",
        4,
        "ends with a value",
        "with an assert",
    ),
    (
        "stderr",
        "print('no', file=sys.stderr)\nassert double(2) == 4",
        1,
        "sys.stderr writes to stderr",
        "message of an assert",
    ),
    ("warning", "warnings.warn('no')\nassert double(2) == 4", 1, "warnings.warn", "message of"),
    (
        "log",
        "import logging\nlogging.error('no')\nassert double(2) == 4",
        2,
        "logging.error",
        "message of an assert",
    ),
    (
        "caught warnings",
        "with warnings.catch_warnings():\n    assert double(2) == 4",
        1,
        "warnings.catch_warnings catches",
        "returns or raises",
    ),
    ("nothing checked", "got = double(2)", 1, "nothing is checked", "assert something"),
    (
        "not called",
        "x = 1\ndef check_double():\n    assert double(2) == 4",
        2,
        "check_double is defined and never called",
        "call it",
    ),
    ("a tuple", "assert (double(2) == 5, 'no')", 1, "always true", "parentheses"),
]

GOOD = {
    "calls and data": "assert double(2) == 4\nassert twice([1, 2]) == [2, 4]",
    "a check that is called": (
        "def check():\n    got = attempt(double, np.ones(3))\n"
        "    assert got.shape == (3,), f'got {got.shape}'\n\n\ncheck()"
    ),
    "the lab's checks": (
        "rng = instances('double')\nx = rng.standard_normal(3)\n"
        "expect_tensor(double, x, gives=x + x, cause='twice')\nexpect_unchanged(double, x)\n"
        "expect_error(TypeError, double, None, cause='a number')"
    ),
    "an own generator of random numbers": (
        "x = np.random.default_rng(0).random(3)\nassert np.array_equal(double(x), 2 * x)"
    ),
    "own generators and iterators": (
        "for x, gives in zip((1, 2), (2, 4)):\n    assert double(x) == gives\n"
        "a, b = (double(x) for x in (1, 2))\nassert [a, b] == list(map(double, (1, 2)))\n"
        "assert all(double(x) == x + x for x in range(3))\nassert double(*(i for i in [2])) == 4"
    ),
    "functions that are passed": (
        "calls = []\ndef work(calls=calls):\n    calls.append(1)\n    return 7\n\n\n"
        "meter = Meter()\nassert meter.read(work) == 7\nassert Meter().read(lambda: 3) == 3\n"
        "assert len(calls) == 1"
    ),
    "threads that meet in a callback": (
        "met = threading.Event()\nassert Meter().read(met.set) is None\nassert met.is_set()"
    ),
    "a clock that is moved": (
        "with fake_clock(Meter) as clock:\n    Meter().read(lambda: clock.advance(1.0, 0.5))\n"
        "    assert clock.wall > 1"
    ),
    "answers as keys and in tables": (
        "tried = {double: 4, twice: 4}\nfor kernel, gives in tried.items():\n"
        "    assert kernel(2) == gives, kernel.__name__"
    ),
    "identity with None and True": (
        "assert double(0) is not True\nassert Meter().read(int) is not None"
    ),
    "classes of results": (
        "assert isinstance(double(np.ones(2)), np.ndarray)\nassert type(double(2)) is int"
    ),
    "attributes of the test's own objects": (
        "case = types.SimpleNamespace()\ncase.given = 2\nassert double(case.given) == 4"
    ),
    "errstate for what is expected": (
        "with np.errstate(all='ignore'):\n    gives = np.float32(1) / np.zeros(1)\n"
        "assert double(2) == 4"
    ),
    "names that are the cell's own": "TILE = 3\nassert double(TILE) == 6",
    "what a locked cell defines": "assert [double(n) for n in SIZES] == [2, 4]",
    "what an earlier test defines": "assert double(two()) == 4",
    "a time that is printed": (
        "start = time.perf_counter()\nassert double(2) == 4\nprint(time.perf_counter() - start)"
    ),
    "a class with its own checks": (
        "class Case:\n    def run(self):\n        assert double(2) == 4\n\n\nCase().run()\nx = 1"
    ),
    "a raise": "if double(2) != 4:\n    raise AssertionError('no')",
    "allowed by a comment": "assert double(2) == 4\nassert gc.isenabled()  # tito: allow",
}
EARLIER = cell("test_double", "def two():\n    return 2\n\n\nassert double(two()) == 4", "test")


def findings(*more: NotebookNode) -> list[Finding]:
    """What is found in a notebook with these cells after the usual ones."""
    return check_tests(new_notebook(cells=[*CELLS, *more]))


@pytest.mark.parametrize("bad", BAD, ids=[bad[0] for bad in BAD])
def test_a_bad_cell_is_named_with_its_line_and_the_way_out(bad):
    _, source, line, what, instead = bad
    found = findings(cell("test_Meter", source, "test"))
    assert [(f.grade_id, f.cell_line) for f in found] == [("test_Meter", line)]
    assert what in found[0].what
    assert instead in found[0].instead


@pytest.mark.parametrize("name", GOOD)
def test_a_good_cell_has_no_findings(name):
    assert list(map(str, findings(EARLIER, cell("test_Meter", GOOD[name], "test")))) == []


LOCKED = [
    ("patch", "np.dot = None", "np.dot is changed"),
    ("seed", "np.random.seed(1)", "numpy.random.seed"),
    ("trace", "def lines(f):\n    sys.settrace(f)", "sys.settrace"),
    ("magic", "%matplotlib inline", "an IPython command"),
]


@pytest.mark.parametrize(("name", "source", "what"), LOCKED, ids=[name for name, *_ in LOCKED])
def test_a_locked_cell_is_looked_at_too(name, source, what):
    (found,) = findings(cell("setup_more", source, "locked"))
    assert found.grade_id == "setup_more"
    assert what in found.what


def test_a_locked_cell_may_set_the_environment_of_both_and_export_what_measures():
    environment = cell("setup_threads", 'os.environ.setdefault("THREADS", "1")', "locked")
    exported = cell("given", "#| export\ndef quiet():\n    gc.disable()", "locked")
    assert findings(environment, exported) == []


def test_without_the_script_the_line_is_that_of_the_cell():
    (found,) = findings(cell("test_Meter", "x = 1\nassert gc.isenabled()", "test"))
    assert found.line is None
    assert str(found).startswith("test_Meter, line 2 of the cell: gc.isenabled")


LOOKS = "import gc\n\nassert double(2) == 4\nassert gc.isenabled()"


@pytest.fixture
def with_a_bad_test(tiny, edit_lesson):
    """The tiny course, built, and then its test changed to look at its own process."""
    build(tiny)
    edit_lesson('assert double(2) == 4, "2 doubled is 4"', LOOKS)
    return tiny


def test_building_and_checking_refuse_such_a_lesson_and_write_nothing(with_a_bad_test):
    course = with_a_bad_test
    made = course.notebook(A).read_bytes()
    lines = course.script(A).read_text(encoding="utf-8").split("\n")
    line = lines.index("assert gc.isenabled()") + 1
    for check in (False, True):
        with pytest.raises(CourseError, match=f"test_double, line {line}: gc.isenabled.*Instead:"):
            build(course, check=check)
    assert course.notebook(A).read_bytes() == made


def test_of_many_findings_a_few_are_shown(tiny, edit_lesson):
    many = "\n".join(["import gc", *["assert gc.isenabled()"] * 12])
    edit_lesson('assert double(2) == 4, "2 doubled is 4"', many)
    with pytest.raises(CourseError, match="and 4 more"):
        refuse_tests(read_lesson(tiny.script(A)), tiny.script(A))


def test_the_lesson_has_no_findings(repo):
    script = repo / "modules/source/11_kernels/kernels_dev.py"
    found = check_tests(read_lesson(script), script)
    assert not found
