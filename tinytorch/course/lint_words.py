"""What a test cell may not use, by the name it is imported under: what is wrong, what to write.

Only words stand here; how a cell is searched for these is in lint_rules.
"""

from typing import NamedTuple


class Words(NamedTuple):
    """One kind of fault: `what` goes on after "line 3:", `instead` says how to write it."""

    what: str
    instead: str


Fault = tuple[int, str, Words]  # line in the cell, what `what` names, the words

_ELSEWHERE = "sees the grader's process, and the answer runs in one of its own"
TRACING = Words(
    "{} watches a call, but " + _ELSEWHERE,
    "use what tinytorch.lab.mechanism has for it (expect_no_loop, expect_tiles, "
    "expect_shared_work), which looks from within the answer's process",
)
SEED = Words(
    "{} sets the random numbers of the grader's process, not those that the answer draws",
    "draw the data from instances(...) or np.random.default_rng(...) and pass it to the answer",
)
STATE = Words(
    "{} " + _ELSEWHERE,
    "look at process_of(answer).state() of tinytorch.lab.workloads, before and after the call",
)
ENVIRONMENT = Words(
    "{} " + _ELSEWHERE,
    "set it in a locked setup cell, which is run in both; or pass it as an argument",
)
THREADS = Words(
    "{} " + _ELSEWHERE,
    "use expect_at_once or expect_shared_work of tinytorch.lab.mechanism to see threads at work",
)
WAITING = Words(
    "{} makes the test depend on how busy the computer is",
    "let threads wait for each other with threading.Event or Barrier, and move time with "
    "fake_clock of tinytorch.lab.clock",
)
TIMING = Words(
    "wall time decides: a busy computer then costs points",
    "test how it works and not how long it takes: expect_no_loop, expect_tiles or "
    "expect_shared_work of tinytorch.lab.mechanism; for a profiler, fake_clock",
)
MEMORY = Words(
    "{}: what an answer gives back is a copy, which shares nothing with anything here",
    "compare the values; whether an input was written to is seen by expect_unchanged(answer, ...)",
)
PATCH = Words(
    "{} is changed here, and the answer, in its own process, goes on with the one that it has",
    "pass what differs as an argument; for a clock use fake_clock of tinytorch.lab.clock, for "
    "threads and loops tinytorch.lab.mechanism",
)
STDERR = Words(
    "{} writes to stderr, which costs a test cell its points even where the answer is right",
    "say it in the message of an assert",
)
OUTPUT = Words(
    "{} catches what is printed or warned of in the grader's process, not in the answer's",
    "test what the answer returns or raises",
)
AWAIT = Words(
    "{}: calls into the answer's process do not await",
    "call it plainly; concurrency is tested by expect_at_once of tinytorch.lab.mechanism",
)
MAGIC = Words(
    "an IPython command (% or ! or ?) has no IPython here: the test is plain Python",
    "write it in Python, or move it to a cell tagged ungraded",
)
SYNTAX = Words("{}", "write it as plain Python")
SUBCLASS = Words(
    "{} is made from a class of an answer, which lives in another process",
    "make an instance of the answer's class and call its methods",
)
KIND = Words(
    "{} is asked for its class, and here stands only something that forwards calls",
    "call it and look at what comes back",
)
ATTRIBUTE = Words(
    "{} is an attribute of the answer's function or class, which lives in another process",
    "call it and look at what comes back; how it works is asked by tinytorch.lab.mechanism",
)
INSPECT = Words(
    "{} looks into an answer, and here stands only something that forwards calls",
    "call it and look at what comes back; how it works is asked by tinytorch.lab.mechanism",
)
SET = Words(
    "{} is set on an object of the student's, which lives in another process",
    "pass it to the constructor or to a method",
)
COMPARE = Words(
    "{} is compared as an object: here stands only something that forwards calls",
    "call it and compare what comes back",
)
OPERATOR = Words(
    "{} is used with an operator, a loop or a builtin, of which only calls of methods cross",
    "call a method by its name",
)
IDENTITY = Words(
    "{}: what an answer gives back is a copy, and never the same object as anything here",
    "compare the values; whether an input was written to is seen by expect_unchanged(answer, ...)",
)
ITERATOR = Words(
    "{} is a generator or an iterator, which cannot cross to the answer's process",
    "pass a list or a tuple",
)
GIVEN_ITERATOR = Words(
    "{} expects a generator or an iterator back, which cannot cross from the answer's process",
    "let the contract say list, tuple or array, and test that",
)
GIVEN_FUNCTION = Words(
    "{} calls what the answer gave back, and a function cannot cross from the answer's process",
    "let the contract be a class with a method, or a function that takes all its arguments",
)
VALUE_OF_ANSWER = Words(
    "{} is a value of an answer cell, of which only what `def` and `class` make is known here",
    "let a function return it, or define it in a locked setup cell",
)
UNKNOWN = Words(
    "{} is defined in a cell that the tests do not run",
    "define it in this cell or in a locked setup cell",
)
LAST_VALUE = Words(
    "the cell ends with a value, which nbgrader may take for the score",
    "end it with an assert, or with a call of a function that returns nothing",
)
NO_CHECK = Words(
    "nothing is checked: every answer gets the points",
    "assert something, or call one of tinytorch.lab.expect's expect_...",
)
NOT_CALLED = Words(
    "{} is defined and never called: every answer gets its points",
    "call it at the end of the cell",
)
ALWAYS_TRUE = Words(
    "this assert has a tuple, which is always true",
    "take the parentheses away: assert condition, message",
)

# Dotted names, each with all that lies below it. The longest that fits counts.
USES: dict[str, Words] = {
    **dict.fromkeys(
        ("sys.settrace", "sys.gettrace", "sys.setprofile", "sys.getprofile", "sys.monitoring"),
        TRACING,
    ),
    **dict.fromkeys(("threading.settrace", "threading.setprofile"), TRACING),
    **dict.fromkeys(("tracemalloc", "cProfile", "profile", "pstats", "trace", "bdb"), TRACING),
    **dict.fromkeys(
        (
            "line_profiler",
            "memory_profiler",
            "tinytorch.lab.counters.python_steps",
            "tinytorch.lab.trace.trace",
            "tinytorch.lab.crew.watch_crew",
        ),
        TRACING,
    ),
    "tracemalloc.is_tracing": STATE,
    **dict.fromkeys(("numpy.random.seed", "numpy.random.set_state", "random.seed"), SEED),
    "random.setstate": SEED,
    **dict.fromkeys(("gc", "resource", "psutil"), STATE),
    **dict.fromkeys(("os.getpid", "os.getppid", "os.times", "os.getloadavg"), STATE),
    **dict.fromkeys(("os.sched_getaffinity", "os.listdir", "os.scandir"), STATE),
    **dict.fromkeys(("sys.modules", "sys.getrefcount", "sys._getframe", "sys.flags"), STATE),
    **dict.fromkeys(
        ("sys._current_frames", "sys.getrecursionlimit", "sys.getallocatedblocks"), STATE
    ),
    **dict.fromkeys(("time.process_time", "time.process_time_ns", "time.thread_time"), STATE),
    **dict.fromkeys(("time.thread_time_ns", "multiprocessing.active_children"), STATE),
    **dict.fromkeys(("os.environ", "os.getenv", "os.putenv", "os.getcwd", "os.chdir"), ENVIRONMENT),
    **dict.fromkeys(("sys.setrecursionlimit", "sys.path", "sys.setswitchinterval"), ENVIRONMENT),
    **dict.fromkeys(("numpy.seterr", "numpy.seterrcall", "locale.setlocale"), ENVIRONMENT),
    **dict.fromkeys(("threading.active_count", "threading.enumerate"), STATE),
    **dict.fromkeys(("threading.current_thread", "threading.get_ident"), THREADS),
    **dict.fromkeys(("threading.get_native_id", "threading.main_thread"), THREADS),
    "threading.local": THREADS,
    "time.sleep": WAITING,
    **dict.fromkeys(("numpy.shares_memory", "numpy.may_share_memory"), MEMORY),
    **dict.fromkeys(("unittest.mock", "mock", "pytest.MonkeyPatch"), PATCH),
    **dict.fromkeys(("sys.stderr", "sys.__stderr__", "warnings.warn", "logging"), STDERR),
    **dict.fromkeys(("traceback.print_exc", "traceback.print_exception"), STDERR),
    **dict.fromkeys(("contextlib.redirect_stdout", "contextlib.redirect_stderr"), OUTPUT),
    **dict.fromkeys(("warnings.catch_warnings", "warnings.simplefilter"), OUTPUT),
    **dict.fromkeys(("sys.stdout", "sys.__stdout__"), OUTPUT),
    "asyncio": AWAIT,
    "IPython": MAGIC,
}
CLOCKS = {
    *(f"time.{name}{end}" for name in ("time", "perf_counter", "monotonic") for end in ("", "_ns")),
    *("time.clock_gettime", "time.process_time", "time.thread_time", "timeit.timeit"),
    *("timeit.repeat", "timeit.default_timer", "datetime.datetime.now", "datetime.datetime.utcnow"),
    *("tinytorch.lab.measure.race", "tinytorch.lab.measuring.call_by_call"),
}
# What these modules do with an answer, they do with what stands in for it.
LOOKERS = {"inspect", "dis", "ast", "copy", "pickle", "marshal", "weakref", "doctest", "typing"}
LOOKING_BUILTINS = {"vars", "dir", "help", "id"}
# Builtins that ask an object for what only its class can do.
ASKING_BUILTINS = {"len", "iter", "next", "bool", "list", "tuple", "set", "dict", "sorted", "sum"}
ASKING_BUILTINS |= {"int", "float", "abs", "round", "min", "max", "hash", "str", "repr", "format"}
ITERATORS = {"iter", "map", "filter", "zip", "enumerate", "reversed", "open"}
ITERATOR_KINDS = {"GeneratorType", "Iterator", "Generator", "AsyncGenerator", "AsyncIterator"}
# Calls that end a cell without a value.
NONE_CALLS = (
    "expect_",
    "check_",
    "assert_",
    "print",
    "append",
    "extend",
    "clear",
    "sort",
    "update",
)
CHECKS = ("expect_", "check_", "assert_", "assert")
