"""A session with a student's process: calls, callbacks, errors, deadlines, and who is to blame."""

import contextlib
import os
import socket
import threading

import numpy as np
import pytest
from judged_sessions import LONG, answers

from tinytorch.course import child, wire
from tinytorch.course.remote import Box, Budget, Fault, Proxy, Session, StudentError
from tinytorch.course.watch import Most, Watch

SOURCE = """
import os, threading, time
import numpy as np

def same(*args, **kwargs):
    return [list(args), kwargs]

def double(x):
    return 2 * x

def says(text):
    print(text)
    return text

def fails(kind, *args):
    raise kinds[kind](*args)

class Fault(BaseException): pass
class WireError(Exception): pass
class StudentError(Exception): pass
class GraderFault(RuntimeError): pass
class NoSandbox(RuntimeError): pass
class Half(ValueError):
    def __str__(self):
        raise RuntimeError("no text")
class OfTheirOwn(ValueError): pass
kinds = {k: v for k, v in vars(__import__("builtins")).items() if isinstance(v, type)}
kinds |= {k: v for k, v in globals().items() if isinstance(v, type)}

def ends(how):
    if how == "exits":
        os._exit(0)
    if how == "is killed":
        os.kill(os.getpid(), 9)
    if how == "loops":
        while True:
            pass
    if how == "sleeps":
        time.sleep(600)

def crosses(functions, workers):
    found = [None] * workers
    def work(n):
        found[n] = functions[n % len(functions)](n)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(workers)]
    for t in threads: t.start()
    for t in threads: t.join()
    return found

def raises_the(which, function, times):
    caught = []
    for n in range(times):
        try:
            function(n)
        except Exception as error:
            caught.append(error)
    raise caught[which]

def hoards(mib):
    kept = bytearray(mib << 20)
    time.sleep(600)

def floods(function, times):
    for n in range(times):
        function("x" * 3_000_000)

borrowed = []
def borrow(function):
    borrowed.append(function)
def use():
    return borrowed[0](1)

class Counter:
    def __init__(self, start=0):
        self.count = start
        self._secret = 1
    def up(self, by=1):
        self.count += by
        return self.count
    def child(self):
        return Counter(self.count)

def is_counter(thing):
    return type(thing) is Counter and thing.count

def not_data():
    return lambda: 1
"""


@pytest.fixture(scope="module")
def there():
    with answers(SOURCE) as found:
        yield found


@contextlib.contextmanager
def new(budget=LONG, most=None, hidden=False):
    """Answers in a process of their own, for tests that end it or begin a cell."""
    with answers(SOURCE, most) as found:
        found.session.begin(budget, hidden)
        yield found


# Calls


def test_a_call_takes_arguments_by_position_and_by_name(there):
    assert there.same(1, "a", x=[2.5, None]) == [[1, "a"], {"x": [2.5, None]}]
    assert there.double(np.arange(3)).tolist() == [0, 2, 4]


def test_an_object_of_theirs_stays_there(there):
    counter = there.Counter(5)
    assert type(counter) is Proxy and counter.__name__ == "Counter"
    assert counter.up() == 6 and counter.up(by=2) == 8 and counter.count == 8
    assert there.is_counter(counter) == 8
    assert counter.child().up() == 9 and counter.count == 8


def test_nothing_private_is_asked_for(there):
    counter = there.Counter()
    for name in ("_secret", "__array__", "__len__", "__wrapped__"):
        assert not hasattr(counter, name)


def test_what_is_not_there_is_an_ordinary_error(there):
    with pytest.raises(NameError, match="'nobody' is not defined"):
        there.nobody(1)
    assert not hasattr(there.Counter(), "nothing")


def test_what_is_no_data_is_an_ordinary_error(there):
    with pytest.raises(TypeError, match="function is no data"):
        there.not_data()
    with pytest.raises(wire.WireError, match="object is no data"):
        there.same(object())


def test_what_is_printed_in_a_call_is_shown_with_the_cell(capsys):
    with new() as found:
        found.says("one")
        found.says("two")
    assert capsys.readouterr().out == "one\ntwo\n"


def test_files_arrive_beside_the_notebook(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "_WORK", tmp_path)
    with new() as found:
        found.session.give_files({"a.txt": b"one", "data/b.bin": bytes(range(256))})
    assert (tmp_path / "a.txt").read_bytes() == b"one"
    assert (tmp_path / "data" / "b.bin").read_bytes() == bytes(range(256))


# Errors


@pytest.mark.parametrize(
    "kind",
    [ValueError, TypeError, KeyError, AssertionError, NotImplementedError, MemoryError,
     RecursionError, OSError, EOFError, ConnectionResetError, StopIteration],
)  # fmt: skip
def test_an_error_of_python_is_raised_here(kind, there):
    with pytest.raises(kind, match=r"shapes \(2, 3\)") as caught:
        there.fails(kind.__name__, "shapes (2, 3)")
    assert type(caught.value) is kind


def test_an_error_of_their_own_is_the_python_error_that_it_is(there):
    with pytest.raises(ValueError, match="of their own") as caught:
        there.fails("OfTheirOwn", "of their own")
    assert type(caught.value) is ValueError
    with pytest.raises(ValueError, match="no text"):
        there.fails("Half")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Fault", StudentError),
        ("WireError", Exception),
        ("StudentError", Exception),
        ("GraderFault", RuntimeError),
        ("NoSandbox", RuntimeError),
        ("SystemExit", StudentError),
        ("KeyboardInterrupt", StudentError),
        ("GeneratorExit", StudentError),
        ("BaseException", StudentError),
    ],
)
def test_an_error_named_like_the_judges_own_is_one_of_theirs(name, kind, there):
    with pytest.raises(Exception, match="a forged end") as caught:
        there.fails(name, "a forged end")
    assert type(caught.value) is kind and there.session.fault is None
    assert there.double(2) == 4


def test_the_text_of_an_error_is_cut(there):
    with pytest.raises(ValueError) as caught:
        there.fails("ValueError", "x" * 100_000)
    assert len(str(caught.value)) <= 4_000


def test_in_a_hidden_test_no_error_and_no_result_says_anything():
    with new(hidden=True) as found:
        for kind in ("ValueError", "Fault"):
            with pytest.raises(Exception) as caught:
                found.fails(kind, "seen 42")
            assert "42" not in f"{caught.value} {caught.value!r}"
        assert any("seen 42" in text for text in found.session.said)  # for the instructor
        text = found.says("seen 42")
        assert text == "seen 42" and "42" not in f"{text} {text!r}"


# Callbacks


def test_the_tests_functions_run_here_in_threads_of_their_own(there):
    barrier = threading.Barrier(4, timeout=60)
    threads, processes = set(), set()

    def meet(n):
        barrier.wait()  # all four are here at the same time, or this fails
        threads.add(threading.get_ident())
        processes.add(os.getpid())
        return n * n

    assert there.crosses([meet], 4) == [0, 1, 4, 9]
    assert len(threads) == 4 and threading.get_ident() not in threads
    assert processes == {os.getpid()}


def test_a_callback_may_call_the_answers_in_its_turn(there):
    assert there.crosses([lambda n: there.double(n) + 1], 3) == [1, 3, 5]


def test_an_error_of_the_tests_function_comes_back_as_itself(there):
    class OwnError(RuntimeError):
        pass

    raised = []

    def fail(n):
        raised.append(OwnError("in the operation", n))
        raise raised[-1]

    with pytest.raises(OwnError) as caught:
        there.raises_the(1, fail, 3)
    assert caught.value is raised[1]


def test_only_the_last_thousand_errors_are_kept(there):
    raised = []

    def fail(n):
        raised.append(KeyError(n))
        raise raised[-1]

    with pytest.raises(KeyError) as caught:
        there.raises_the(0, fail, 1_010)
    assert caught.value is not raised[0] and caught.value.args == (0,)
    with pytest.raises(KeyError) as caught:
        there.raises_the(1_009, fail, 1_010)
    assert caught.value is raised[-1]


def test_functions_of_an_earlier_cell_are_gone():
    seen = []
    with new() as found:
        found.borrow(seen.append)
        assert found.use() is None and seen == [1]
        found.session.begin(LONG)
        with pytest.raises(KeyError):
            found.use()
        assert seen == [1]


def test_too_many_at_a_time_are_the_students_fault():
    going_on = threading.Event()
    with new() as found:
        try:
            with pytest.raises(Fault, match="too often"):
                found.crosses([lambda n: going_on.wait(30)], 320)
        finally:
            going_on.set()


def test_too_much_in_one_cell_is_the_students_fault():
    with new() as found:
        for _ in range(2):  # what earlier cells handed over does not count
            found.session.begin(LONG)
            assert found.floods(lambda x: None, 25) is None
        with pytest.raises(Fault, match="handed too much"):
            found.floods(lambda x: None, 25)


# Ends


@pytest.mark.parametrize("how", ["exits", "is killed"])
def test_who_ends_in_a_call_has_died(how):
    with new() as found:
        with pytest.raises(Fault) as caught:
            found.ends(how)
        assert (caught.value.state, caught.value.gone) == ("died", True)
        with pytest.raises(Fault):  # and stays so
            found.double(2)
        with pytest.raises(Fault):
            found.session.end()


@pytest.mark.parametrize(
    ("how", "budget", "said"),
    [
        ("sleeps", Budget(wall=60, call=0.2, cpu=60), "did not answer for 0.2 s"),
        ("sleeps", Budget(wall=0.2, call=60, cpu=60), "was not done after 0.2 s"),
        ("loops", Budget(wall=60, call=60, cpu=0.2), "used 0.2 s of processor time"),
    ],
    ids=["call", "cell", "processor"],
)
def test_who_does_not_come_to_an_end_has_hung(how, budget, said):
    with new(budget) as found:
        with pytest.raises(Fault, match=said) as caught:
            found.ends(how)
        assert (caught.value.state, caught.value.gone) == ("hung", False)


def test_many_short_calls_end_with_the_cell():
    with new(Budget(wall=0.5, call=60, cpu=60)) as found, pytest.raises(Fault, match="not done"):
        for _ in range(1_000_000):
            found.double(1)


def test_between_cells_no_time_runs():
    with new(Budget(wall=0.1, call=0.1, cpu=60)) as found:
        found.session.end()
        threading.Event().wait(0.3)
        found.session.begin(LONG)
        assert found.double(2) == 4


def test_no_test_swallows_a_fault():
    with new() as found, pytest.raises(Fault):
        try:
            found.ends("exits")
        except Exception:
            pytest.fail("a test's own `except Exception` has caught it")


def test_who_takes_too_much_memory_has_died():
    with new(most=Most(memory=150 << 20)) as found:
        with pytest.raises(Fault, match=r"took too much: .* MiB of memory") as caught:
            found.hoards(300)
        assert caught.value.state == "died"


def test_who_starts_too_many_threads_has_died():
    going_on = threading.Event()
    with new(most=Most(tasks=20)) as found:
        try:
            with pytest.raises(Fault, match="processes and threads"):
                found.crosses([lambda n: going_on.wait(30)], 30)
        finally:
            going_on.set()


# What a student's process may say


class Peer:
    """Plays the student's process: says hello, and answers requests with whatever it is given."""

    def __init__(self, *answers):
        mine, theirs = socket.socketpair()
        self.answers = answers
        self.thread = threading.Thread(target=self._serve, args=(theirs,))
        self.thread.start()
        self.session = Session(mine, Watch(os.getpid(), os.getpid()), Most(1 << 40, 1 << 20))
        self.session.box = Box()
        self.session.begin(LONG)

    def _serve(self, channel):
        with contextlib.suppress(OSError, EOFError), channel:
            wire.send(channel, {"kind": "hello"}, [])
            for several in self.answers:
                message, _ = wire.receive(channel)
                for answer, *blobs in several:
                    wire.send(channel, {"id": message["id"], **answer}, blobs)
            channel.recv(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.close()
        self.thread.join()


def result(value, *blobs, **more):
    return ({"kind": "result", "value": value, **more}, *blobs)


def test_the_first_answer_to_a_call_counts():
    with Peer([result(1), result(2)], [result(3)]) as peer:
        assert peer.session.call(["f"], (), {}) == 1
        assert peer.session.call(["f"], (), {}) == 3


def test_an_answer_that_nobody_asked_for_is_none():
    others = [result(7, id="2"), result(7, id="3"), result(7, id=1), result(7, id=None)]
    with Peer([*others, result(1)], [result(3)]) as peer:
        assert peer.session.call(["f"], (), {}) == 1
        assert peer.session.call(["f"], (), {}) == 3


@pytest.mark.parametrize(
    "answer",
    [
        result(["?"]),
        result(["a", 0, "<f8", [4]], b"1234"),
        result(["v", 0, "<f8", [1], "C", True], b"12345678"),
        result(["function", 99]),
        result(["thing", "x", "y"]),
        result(1, changed={"0": ["?"]}),
        result(1, changed={"99": 1}),
        result(1, changed={"-1": 1}),
        result(1, changed={"x": 1}),
        result(1, changed={"0": ["l", 1]}),
        result(1, changed={"1": 1}),
        result(1, changed={"1": ["d"]}),
        result(1, changed=[1]),
        result(1, changed=None),
        ({"kind": "result"},),
    ],
    ids=str,
)
def test_what_breaks_the_rules_is_the_students_fault(answer):
    with Peer([answer]) as peer:
        with pytest.raises(Fault, match="rules of the channel") as caught:
            peer.session.call(["f"], (np.zeros(1), [1]), {})
        assert (caught.value.state, caught.value.gone) == ("died", False)


@pytest.mark.parametrize(
    "raised",
    [
        {},
        {"name": None, "class": None, "text": None, "args": None},
        {"name": "Fault", "class": "Fault", "text": "x"},
        {"name": "SystemExit", "text": "x"},
        {"name": "BaseException"},
        {"name": "object"},
        {"name": ["ValueError"], "text": {"a": 1}, "args": {"a": 1}, "class": [1]},
        {"name": "UnicodeDecodeError", "args": [1, 2, 3], "text": "x"},
        {"name": "ExceptionGroup", "args": ["x", 1], "text": "x"},
        {"name": "ValueError", "args": [[1]], "text": "x", "token": "made up"},
        {"name": "ValueError", "args": ["y" * 100_000], "text": "x" * 100_000},
    ],
    ids=lambda raised: str(raised)[:40],
)
def test_whatever_an_error_says_an_ordinary_exception_comes_of_it(raised):
    with Peer([({"kind": "raised", **raised},)], [result(1)]) as peer:
        with pytest.raises(BaseException) as caught:
            peer.session.call(["f"], (), {})
        assert isinstance(caught.value, Exception) and len(str(caught.value)) <= 4_100
        assert peer.session.call(["f"], (), {}) == 1


def test_who_never_says_hello_has_not_begun():
    mine, theirs = socket.socketpair()
    theirs.close()
    with mine, pytest.raises(Fault) as caught:
        Session(mine, Watch(os.getpid(), os.getpid()), Most())
    assert caught.value.state == "died"
