"""The judge's end of the channel: proxies for the student's answers, and what they may do to it.

A `Session` is one life of the student's process. It believes nothing: what comes back is data or a
`Fault`, and every fault is the student's. The tests' own functions stay here; the student's code
calls them by number, each call in a thread of its own.
"""

import builtins
import contextlib
import itertools
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.course import wire
from tinytorch.course.arguments import do_again
from tinytorch.course.trial_room.children import DIED
from tinytorch.course.watch import Most, Watch
from tinytorch.course.wire import Blobs, Decoder, Encoder, Memory, Message, WireError
from tinytorch.lab.instruments import seen_again
from tinytorch.lab.lending import Desk, Lent
from tinytorch.lab.workloads import FAILS, WORKLOADS

_MOST_CALLS = 300  # of the tests' functions at the same time: more than any honest pool has threads
_MOST_ASKS = 500_000  # in one cell
_MOST_ASKED = 1 << 30  # bytes of all asks of one cell: the test's functions may keep them
_MOST_RAISED = 1_000  # errors of the test's functions that may come back as themselves
_TEXT = 4_000  # characters of anything that the student's process says
_LOOK = 0.05  # seconds between two looks at the sandbox
_EXCEPTIONS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception)
}


class Fault(BaseException):
    """The student's process is gone or breaks the rules. No Exception: no test can swallow it.

    state: "died" or "hung". gone: it has ended, and neither a limit nor a rule was broken.
    """

    def __init__(self, state: str, text: str, gone: bool = False) -> None:
        super().__init__(text)
        self.state, self.gone = state, gone


class StudentError(Exception):
    """What the student's code raised, of a class that Python itself does not have."""


class Unsaid(str):
    """A text that came back in a hidden test: compared as it is, shown by its length alone."""

    def __repr__(self) -> str:
        return f"<a text of {len(self)} characters>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)


class UnsaidBytes(bytes):
    """The same for bytes."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"

    __str__ = __repr__


class UnsaidBytearray(bytearray):
    """The same for bytes that can be changed."""

    __repr__ = __str__ = UnsaidBytes.__repr__


@dataclass
class Budget:
    """What a cell may take: seconds in all, of one call, and of processor time."""

    wall: float
    call: float
    cpu: float


class Session:
    """One life of the student's process."""

    def __init__(self, channel: socket.socket, watch: Watch, most: Most) -> None:
        self.channel, self.watch, self.most = channel, watch, most
        self.fault: Fault | None = None
        self.hidden = False  # whether what the student's code says must not be quoted
        self.said: list[str] = []  # what errors said in a hidden test: for the instructor
        self.desk = Desk()
        self._lent: dict[str, Lent] = {}
        self._functions: dict[int, Callable[..., Any]] = {}
        self._raised: dict[str, BaseException] = {}
        self._numbers = itertools.count(1)
        self._waiting: dict[str, queue.SimpleQueue[Any]] = {}
        self._since: dict[str, float] = {}  # when each call began
        self._sending = threading.Lock()
        self._inside = self._asks = self._asked = 0
        self._owner = threading.get_ident()
        self._budget: Budget | None = None
        self._cell_began = self._cpu_began = 0.0
        hello = self._waiting["hello"] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._look, daemon=True).start()
        self.begin(Budget(60, 60, 60))
        self._since["hello"] = time.monotonic()
        if hello.get() is None:
            raise self.fault or Fault("died", "the student's process did not begin")
        self._forget("hello")

    def begin(self, budget: Budget, hidden: bool = False) -> None:
        """Start a cell: its time begins, and what the last one lent is taken back."""
        self._functions.clear()
        self._lent.clear()
        self._raised.clear()
        self._asks = self._asked = 0
        self.hidden, self.said, self.desk = hidden, [], Desk()
        self._cell_began, self._cpu_began = time.monotonic(), self.watch.cpu_seconds()
        self._budget = budget

    def end(self) -> None:
        """Stop the time; Fault if the process has not survived the cell."""
        self._budget = None
        if self.fault:
            raise self.fault

    def close(self) -> None:
        """Hang up."""
        self._fail("died", "closed")
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_RDWR)
        self.channel.close()

    def run_cell(self, label: str, source: str) -> tuple[Any, Any]:
        """Run one of the student's cells; its outputs and its error, as they were said."""
        reply, _ = self._request({"kind": "cell", "label": label, "source": source}, [])
        return reply.get("outputs"), reply.get("error")

    def give_files(self, files: dict[str, bytes]) -> None:
        """Put files into the working folder."""
        self._request({"kind": "files", "names": list(files)}, list(files.values()))

    def keep(self, number: int) -> None:
        """Have all names of the notebook kept as they are now."""
        self._request({"kind": "keep", "number": number}, [])

    def restore(self, number: int) -> None:
        """Have them be again what they were when they were kept."""
        self._request({"kind": "restore", "number": number}, [])

    def call(self, path: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of the student; what its arguments have become is copied back."""
        encoder = Encoder(self._lend, layouts=True)
        message = {"kind": "call", "target": path, "args": encoder.encode(list(args))}
        message["kwargs"] = encoder.encode(kwargs)
        message["lent"] = any(isinstance(v, Lent) for v in (*args, *kwargs.values()))
        try:
            return self._value(*self._request(message, encoder.blobs), encoder.given)
        finally:
            if message["lent"]:
                self.desk = Desk()  # who met in this call has not met in the next

    def ask(self, path: list[Any], name: str, args: tuple[Any, ...]) -> Any:
        """Run one of the lab's functions on something of the student's."""
        encoder = Encoder(self._lend, layouts=True)
        message = {"kind": "ask", "target": path, "name": name}
        message["args"] = encoder.encode(list(args))
        try:
            return self._value(*self._request(message, encoder.blobs), [])
        except AssertionError as error:
            raise seen_again(getattr(error, "parts", ()), str(path[-1])) or error from None

    def attribute(self, box: "Box", path: list[Any], name: str) -> Any:
        """Read an attribute of something of the student's; a method is a proxy again."""
        reply, blobs = self._request({"kind": "get", "target": [*path, name]}, [])
        if reply.get("method") is True:
            return Proxy(box, [*path, name], name)
        return self._value(reply, blobs, [])

    def lend(self, array: np.ndarray) -> Lent:
        """An argument whose elements stay here until they are asked for."""
        lent = Lent(array, self.desk)
        self._lent[f"lent{next(self._numbers)}"] = lent
        return lent

    def _request(self, message: Message, blobs: list[Memory]) -> tuple[Message, Blobs]:
        number = str(next(self._numbers))
        waiting = self._waiting[number] = queue.SimpleQueue()
        self._since[number] = time.monotonic()
        message |= {"id": number, "aside": threading.get_ident() != self._owner}
        try:
            if self.fault:  # who failed before this line has not told `waiting`
                raise self.fault
            self._send(message, blobs)
            answer = waiting.get()
        finally:
            self._forget(number)
        if answer is None:
            raise self.fault or Fault("died", DIED)
        return answer  # type: ignore[no-any-return]

    def _forget(self, number: str) -> None:
        self._waiting.pop(number, None)
        self._since.pop(number, None)

    def _send(self, message: Message, blobs: list[Memory]) -> None:
        try:
            with self._sending:
                wire.send(self.channel, message, blobs)
        except OSError:
            self._fail("died", DIED, gone=True)

    def _value(self, reply: Message, blobs: Blobs, given: list[Any]) -> Any:
        """What a reply means: a value, or an exception, which is raised here."""
        try:
            printed = reply.get("printed")
            if type(printed) is str:
                sys.stdout.write(printed[:_TEXT])  # of a hidden test only the instructor sees it
            decoder = Decoder(blobs, self.taken, given=given)
            shown = unsaid if self.hidden else _itself
            do_again(given, reply.get("changed", {}), decoder, shown)
            if reply["kind"] == "result":
                return shown(decoder.decode(reply["value"]))
            error = self._error(reply)
        except (WireError, LookupError, TypeError, ValueError, AttributeError) as wrong:
            self._fail("died", self._broken(wrong))
            assert self.fault
            raise self.fault from None
        raise error

    def _error(self, reply: Message) -> BaseException:
        token = reply.get("token")
        if type(token) is str and token in self._raised:
            return self._raised[token]
        name, text, args = reply.get("name"), reply.get("text"), reply.get("args")
        text = text[:_TEXT] if type(text) is str else ""
        kind = _EXCEPTIONS.get(name) if type(name) is str else None
        if type(args) is not list or any(type(a) not in (str, int, float) for a in args[:5]):
            args = []
        args = [a[:_TEXT] if type(a) is str else a for a in args[:5]]
        name = f"{str(reply.get('class'))[:80]}: "
        if self.hidden and text != FAILS:
            self.said.append(name + text)
            error: Exception = StudentError() if kind is None else _made(kind, [], "")
            error.withheld = text  # type: ignore[attr-defined]
        else:
            error = StudentError(name + text) if kind is None else _made(kind, args, text)
        error.parts = args  # type: ignore[attr-defined]
        return error

    def _broken(self, wrong: Exception) -> str:
        """What the student did, with what exactly where that tells nothing."""
        said = "" if self.hidden else f": {wrong}"
        return f"the student's process broke the rules of the channel{said}"[:300]

    def _read(self) -> None:
        try:
            while not self.fault:
                message, blobs = wire.receive(self.channel)
                kind, number = message.get("kind"), message.get("id")
                if kind in ("callback", "read"):
                    self._asks += 1
                    self._asked += message["size"]
                    if self._inside >= _MOST_CALLS or self._asks > _MOST_ASKS:
                        raise WireError("it called the test's functions too often")
                    if self._asked > _MOST_ASKED:
                        raise WireError("it handed too much to the test's functions")
                    self._inside += 1
                    arguments = (message, blobs)
                    threading.Thread(target=self._serve, args=arguments, daemon=True).start()
                    continue
                number = "hello" if kind == "hello" else number
                if type(number) is not str or kind not in ("hello", "result", "raised"):
                    continue
                waiting = self._waiting.pop(number, None)  # a second answer is none
                if waiting is not None:
                    waiting.put((message, blobs))
        except (EOFError, OSError):
            self._fail("died", DIED, gone=True)
        except Exception as wrong:  # whatever it sent, this thread may not end without a word
            self._fail("died", self._broken(wrong))

    def _serve(self, message: Message, blobs: Blobs) -> None:
        """Answer the student's code: run a function of the test, or give lent elements."""
        try:
            try:
                decoder = Decoder(blobs, self.taken)
                if message["kind"] == "read":
                    value = self._lent[message["lent"]].answer(decoder.decode(message["elements"]))
                else:
                    function = self._functions[message["callable"]]
                    args, kwargs = map(decoder.decode, (message["args"], message["kwargs"]))
                    if self.hidden:
                        args, kwargs = unsaid(args), unsaid(kwargs)
                    value = function(*args, **kwargs)
                encoder = Encoder(self._lend, layouts=True)
                reply = {"kind": "result", "value": encoder.encode(value)}
            except Exception as error:
                token = f"{id(error):x}.{next(self._numbers)}"
                self._raised[token] = error
                for old in list(self._raised)[:-_MOST_RAISED]:
                    self._raised.pop(old, None)
                encoder = Encoder()
                args = [a for a in error.args if type(a) in (str, int, float)]
                names = [k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins"]
                reply = {"kind": "raised", "name": names[0], "token": token}
                reply["args"] = encoder.encode(args)
            self._send(reply | {"id": message.get("id")}, encoder.blobs)
        except (Fault, WireError) as wrong:
            said = "" if self.hidden else f": {wrong}"
            self._fail("died", f"the student's process asked for what cannot be given{said}")
        finally:
            self._inside -= 1

    def _lend(self, value: Any, encoder: Encoder) -> Any:
        """What is no data among the arguments."""
        if isinstance(value, Proxy):
            return ["thing", object.__getattribute__(value, "_path")]
        if isinstance(value, Lent):
            name = next(name for name, lent in self._lent.items() if lent is value)
            return ["lent", name, value.dtype.str, list(value.shape)]
        name = type(value).__name__
        if WORKLOADS.get(name) is type(value):
            return ["work", name, encoder.encode(tuple(value.arguments))]
        if callable(value):
            number = next(self._numbers)
            self._functions[number] = value
            return ["function", number, str(getattr(value, "__name__", name))]
        return None

    def taken(self, tag: str, rest: list[Any], decoder: Decoder) -> Any:
        """What is no data among the results."""
        if tag == "thing" and type(rest[0]) is int and type(rest[1]) is str:
            name = "an object of the answer" if self.hidden else rest[1][:80]
            return Proxy(self.box, [rest[0]], name)
        if tag == "function":
            return self._functions[rest[0]]
        raise WireError(f"there is no part {tag[:8]!r} in results")

    box: "Box"

    def _look(self) -> None:
        """Watch the sandbox: nobody may take more than there is for everybody."""
        while not self.fault:
            time.sleep(_LOOK)
            excess, budget = self.watch.excess(self.most), self._budget
            if excess:
                self._fail("died", f"the student's code took too much: {excess}")
            elif budget:
                self._look_at_times(budget)

    def _look_at_times(self, budget: Budget) -> None:
        now = time.monotonic()
        slowest = max((now - since for since in list(self._since.values())), default=0.0)
        if self.watch.cpu_seconds() - self._cpu_began > budget.cpu:
            what = f"used {budget.cpu:g} s of processor time"
        elif slowest > budget.call:
            what = f"did not answer for {budget.call:g} s"
        elif now - self._cell_began > budget.wall:
            what = f"was not done after {budget.wall:g} s"
        else:
            return
        self._fail("hung", f"the student's code {what}: is there a loop that never ends?")

    def _fail(self, state: str, text: str, gone: bool = False) -> None:
        if self.fault is None:
            self.fault = Fault(state, text, gone)
        for waiting in list(self._waiting.values()):
            waiting.put(None)


def _itself(value: Any) -> Any:
    return value


def unsaid(value: Any) -> Any:
    """The same value, with texts in it that are not quoted."""
    if type(value) is str:
        return Unsaid(value)
    if type(value) is bytes:
        return UnsaidBytes(value)
    if type(value) is bytearray:
        return UnsaidBytearray(value)
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(map(unsaid, value))
    if type(value) is slice:
        return slice(*map(unsaid, (value.start, value.stop, value.step)))
    if type(value) is dict:
        return {unsaid(k): unsaid(v) for k, v in value.items()}
    return value


def _made(kind: type[Exception], args: list[Any], text: str) -> Exception:
    for given in (args, [text]):
        with contextlib.suppress(Exception):
            error = kind(*given)
            if str(error) == text or given == [text]:
                return error
    return StudentError(f"{kind.__name__}: {text}" if text else kind.__name__)


class Box:
    """Holds the session that is alive: proxies outlive it."""

    session: Session


class Judged:
    """What the lab's checks may ask about an answer; see tinytorch.lab.proxies."""

    def __init__(self, box: Box, path: list[Any]) -> None:
        self._box, self._path = box, path

    def ask(self, name: str, *args: Any) -> Any:
        """Run one of the lab's functions on the answer, in the student's process."""
        return self._box.session.ask(self._path, name, args)

    def cpu_seconds(self) -> float:
        """Processor time of the whole sandbox."""
        return self._box.session.watch.cpu_seconds()

    def busy_threads(self) -> dict[int, float]:
        """Processor seconds of its threads."""
        return self._box.session.watch.busy_threads()

    def lend(self, array: np.ndarray) -> Lent:
        """An argument that stays here."""
        return self._box.session.lend(array)


class Proxy:
    """Stands for something of the student's: calls and attributes go there, nothing else does."""

    def __init__(self, box: Box, path: list[Any], name: str) -> None:
        self._box, self._path = box, path
        self.__name__ = name

    @property
    def __judged__(self) -> Judged:
        return Judged(self._box, self._path)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in the student's process."""
        return self._box.session.call(self._path, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._box.session.attribute(self._box, self._path, name)
