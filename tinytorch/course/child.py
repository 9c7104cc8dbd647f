"""What runs inside the sandbox: the student's cells, and the calls that the judge makes of them.

Nothing that it says is believed: whatever runs here may have been changed by the student's code.
"""

import asyncio
import builtins
import contextlib
import io
import itertools
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from tinytorch.course import wire
from tinytorch.course.arguments import Before
from tinytorch.course.trial_room.shell import Runner
from tinytorch.course.wire import Blobs, Decoder, Encoder, Memory, Message, WireError
from tinytorch.lab import judged, lent, lent_tape, workloads

_MOST_TEXT = 20_000  # characters of a cell's output
_MOST_SHOWN = 20  # pictures and values of a cell
_MOST_PICTURE = 3_000_000  # characters of a picture in base64
_WORK = Path("/tmp/work")
_ENVIRONMENT = {
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "IPYTHONDIR": "/tmp/.ipython",
    "MPLCONFIGDIR": "/tmp/.matplotlib",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class _Output(io.TextIOBase):
    """The first characters of what is printed, kept in the order of the outputs."""

    encoding = "utf-8"

    def __init__(self, sink: list[dict[str, Any]], name: str, room: list[int]) -> None:
        super().__init__()
        self.sink, self.stream, self.room = sink, name, room

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = str(text)[: max(0, self.room[0])]
        self.room[0] -= len(kept)
        last = self.sink[-1] if self.sink else {}
        if kept and last.get("name") == self.stream:
            last["text"] += kept
        elif kept:
            self.sink.append({"output_type": "stream", "name": self.stream, "text": kept})
        return len(text)

    def close(self) -> None:
        """Stay open: closing a kernel's output ends nothing either."""


class _Publisher(DisplayPublisher):
    """Keeps what is displayed."""

    show: Callable[[Any], None] = staticmethod(lambda data: None)

    def publish(  # type: ignore[override]
        self, data: Any, metadata: Any = None, **options: Any
    ) -> None:
        if not options.get("update"):
            self.show(data)


class _Hook(DisplayHook):
    """Keeps the value of a cell's last line."""

    show: Callable[[Any], None] = staticmethod(lambda data: None)

    def write_output_prompt(self) -> None:
        """Print no `Out[1]:`."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self.show(format_dict)

    def finish_displayhook(self) -> None:
        """Print no line's end."""


class Cells(Runner):
    """The student's notebook: its names, and how a cell runs in them."""

    def __init__(self) -> None:
        super().__init__()
        shell = self.shell
        shell.display_pub = _Publisher(parent=shell, shell=shell)
        shell.displayhook = _Hook(parent=shell, shell=shell, cache_size=0)
        shell.display_trap.hook = shell.displayhook
        type(shell).enable_gui = lambda self, gui=None: None  # type: ignore[method-assign]
        shell.display_pub.show = self._shown
        shell.displayhook.show = self._shown
        self.begin()

    def begin(self) -> None:
        """Forget what was put out; what is printed from now on is kept anew."""
        self.outputs: list[dict[str, Any]] = []
        self.room, self.pictures = [_MOST_TEXT], 0
        sys.stdout = _Output(self.outputs, "stdout", self.room)
        sys.stderr = _Output(self.outputs, "stderr", self.room)

    def _shown(self, data: Any) -> None:
        kept: dict[str, str] = {}
        for kind, most in (("text/plain", max(0, self.room[0])), ("image/png", _MOST_PICTURE)):
            value = data.get(kind)
            if isinstance(value, bytes):
                import base64

                value = base64.b64encode(value).decode()
            if isinstance(value, str) and (kind == "text/plain" or len(value) <= most):
                kept[kind] = value[:most]
        self.pictures += 1
        if kept and self.pictures <= _MOST_SHOWN:
            self.room[0] -= len(kept.get("text/plain", ""))
            self.outputs.append({"output_type": "display_data", "data": kept, "metadata": {}})

    def show(self, label: str, source: str) -> tuple[list[dict[str, Any]], list[str]]:
        """Run a cell; its outputs, and the name, text and place of what it raised, if it did."""
        self.begin()
        self.shell.errors.clear()
        code = self._code(source)
        try:
            self.loop.run_until_complete(self._in_loop(source, code))
        except Exception as error:  # IPython's own, such as over an exception without a text
            self.shell.errors.append(error)
        if not self.shell.errors:
            return self.outputs, []
        return self.outputs, _described(self.shell.errors[0])


def _described(error: BaseException) -> list[str]:
    line = error.__traceback__
    number = 0
    while line is not None:
        if "<" in line.tb_frame.f_code.co_name:
            number = line.tb_lineno
        line = line.tb_next
    return [type(error).__name__[:80], _text(error), f"line {number} of this cell" * bool(number)]


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException as failure:  # a student's own exception class
        return f"<no text: its __str__ raised {type(failure).__name__}>"
    return text[:4_000].encode("utf-8", "replace").decode()


class Borrowed:
    """A function of the judge: each call runs there."""

    def __init__(self, child: "Child", number: int, name: str) -> None:
        self._child, self._number, self.__name__ = child, number, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it in the judge."""
        message = {"kind": "callback", "callable": self._number}
        return self._child.ask(message, {"args": list(args), "kwargs": kwargs})


class Child:
    """The student's end of the channel."""

    def __init__(self, channel: socket.socket, cells: Cells) -> None:
        self.channel, self.cells = channel, cells
        self.things: dict[int, Any] = {}  # objects of the student that the judge holds
        self.tokens: dict[int, tuple[BaseException, str]] = {}
        self.kept: dict[int, dict[str, Any]] = {}  # all names, before each hidden test
        self._numbers = itertools.count(1)
        self._sending = threading.Lock()
        self._waiting: dict[str, queue.SimpleQueue[tuple[Message, Blobs]]] = {}
        self._todo: queue.SimpleQueue[tuple[Message, Blobs]] = queue.SimpleQueue()

    def serve(self) -> None:
        """Answer the judge until it is gone."""
        threading.Thread(target=self._read, daemon=True, name="channel").start()
        self._say({"kind": "hello"})
        while True:
            message, blobs = self._todo.get()
            self._answer(message, blobs)

    def _read(self) -> None:
        try:
            while True:
                message, blobs = wire.receive(self.channel)
                if message["kind"] in ("result", "raised"):
                    waiting = self._waiting.get(message["id"])
                    if waiting is not None:
                        waiting.put((message, blobs))
                elif message.get("aside"):
                    # The student's code waits for something of the judge, which asks back.
                    arguments = (message, blobs)
                    threading.Thread(target=self._answer, args=arguments, daemon=True).start()
                else:
                    self._todo.put((message, blobs))
        except BaseException:
            os._exit(0)

    def _say(self, message: Message, blobs: list[Memory] | None = None) -> None:
        with self._sending:
            wire.send(self.channel, message, blobs or [])

    def ask(self, message: Message, values: dict[str, Any]) -> Any:
        """Ask the judge for something, and wait."""
        encoder = Encoder()
        trees = {name: encoder.encode(value) for name, value in values.items()}
        number = str(next(self._numbers))
        waiting = self._waiting[number] = queue.SimpleQueue()
        try:
            self._say({**message, **trees, "id": number}, encoder.blobs)
            answer, blobs = waiting.get()
        finally:
            del self._waiting[number]
        decoder = Decoder(blobs, layouts=True)
        if answer["kind"] == "result":
            return decoder.decode(answer["value"])
        kind = getattr(builtins, answer["name"], RuntimeError)
        error = kind(*decoder.decode(answer["args"]))
        self.tokens[id(error)] = error, answer["token"]
        raise error

    def _answer(self, message: Message, blobs: Blobs) -> None:
        run = getattr(self, "_on_" + message["kind"])
        try:
            reply, parts = run(message, blobs)
        except BaseException as error:
            reply, parts = self._raised(error), []
        try:
            self._say(reply | {"id": message["id"]}, parts)
        except WireError as error:
            self._say(self._raised(error) | {"id": message["id"]})

    def _raised(self, error: BaseException) -> Message:
        names = [k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins"]
        if isinstance(error, WireError):
            names = ["TypeError"]
        token = self.tokens.get(id(error))
        args = [a for a in error.args if type(a) in (str, int, float)] if _is_plain(error) else []
        return {
            "kind": "raised",
            "name": names[0] if names else "Exception",
            "class": type(error).__name__[:80],
            "text": _text(error),
            "args": [a[:4_000] if type(a) is str else a for a in args][:5],
            "token": token[1] if token and token[0] is error else None,
        }

    def _on_files(self, message: Message, blobs: Blobs) -> tuple[Message, list[Memory]]:
        """Put the files that came with the notebook beside it."""
        for name, blob in zip(message["names"], blobs, strict=True):
            path = _WORK / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(blob)
        return {"kind": "result", "value": None}, []

    def _on_cell(self, message: Message, blobs: Blobs) -> tuple[Message, list[Memory]]:
        outputs, error = self.cells.show(message["label"], message["source"])
        return {"kind": "result", "outputs": outputs, "error": error}, []

    def _on_keep(self, message: Message, blobs: Blobs) -> tuple[Message, list[Memory]]:
        """Keep what all names of the notebook mean now."""
        self.kept[message["number"]] = dict(self.cells.shell.user_ns)
        return {"kind": "result", "value": None}, []

    def _on_restore(self, message: Message, blobs: Blobs) -> tuple[Message, list[Memory]]:
        """Let the names mean again what they meant then: a later cell may have used them anew."""
        names = self.cells.shell.user_ns
        kept = self.kept[message["number"]]
        names.clear()
        names.update(kept)
        return {"kind": "result", "value": None}, []

    def _on_call(self, message: Message, blobs: Blobs) -> tuple[Message, list[Memory]]:
        """Call a function of the student, and say what became of its arguments."""
        decoder = Decoder(blobs, self.taken, layouts=True)
        args, kwargs = decoder.decode(message["args"]), decoder.decode(message["kwargs"])
        before, encoder = Before(decoder), Encoder(self._held, given=decoder.given)
        self.cells.begin()
        try:
            function = self._target(message["target"])
            if message.get("lent"):
                result = lent.run_lent(function, tuple(args), kwargs, self._fetch)
            else:
                result = function(*args, **kwargs)
            reply = self._result(encoder.encode(result))
        except BaseException as error:
            reply = self._raised(error)
        return reply | {"changed": before.changes(encoder, self._kept)}, encoder.blobs

    def _on_get(self, message: Message, blobs: Blobs) -> tuple[Message, list[Memory]]:
        """Read an attribute; a method is called by its name, where it is called."""
        value = self._target(message["target"])
        if callable(value):
            return {"kind": "result", "value": None, "method": True}, []
        encoder = Encoder(self._held)
        return self._result(encoder.encode(value)), encoder.blobs

    def _on_ask(self, message: Message, blobs: Blobs) -> tuple[Message, list[Memory]]:
        """Run one of the lab's own functions on something of the student's."""
        decoder = Decoder(blobs, self.taken, layouts=True)
        args = decoder.decode(message["args"])
        value = judged.ASKED[message["name"]](self._target(message["target"]), *args)
        encoder = Encoder(self._held)
        return self._result(encoder.encode(value)), encoder.blobs

    def _result(self, value: Any) -> Message:
        return {"kind": "result", "value": value, "printed": self._printed()}

    def _printed(self) -> str:
        outputs = [output for output in self.cells.outputs if output["output_type"] == "stream"]
        return "".join(output["text"] for output in outputs)

    def _target(self, path: list[Any]) -> Any:
        """The student's object: a name of the notebook or one that the judge holds, and on."""
        first, *rest = path
        if isinstance(first, int):
            found = self.things[first]
        elif first in self.cells.shell.user_ns:
            found = self.cells.shell.user_ns[first]
        else:
            raise NameError(f"name {first!r} is not defined")
        for name in rest:
            found = getattr(found, name)
        return found

    def taken(self, tag: str, rest: list[Any], decoder: Decoder) -> Any:
        """What is no data among the judge's arguments."""
        if tag == "function":
            return Borrowed(self, rest[0], rest[1])
        if tag == "work":
            return workloads.WORKLOADS[rest[0]](*decoder.decode(rest[1]))
        if tag == "thing":
            return self._target(rest[0])
        if tag == "lent":
            return lent_tape.Borrowed(rest[0], tuple(rest[2]), rest[1])
        raise WireError(f"there is no part {tag!r} in arguments")

    def _held(self, value: Any, encoder: Encoder) -> Any:
        """Keep an object of a class of the notebook here; the judge gets a number for it."""
        if isinstance(value, Borrowed):
            return ["function", value._number]
        return self._kept(value) if getattr(type(value), "__module__", None) == "__main__" else None

    def _kept(self, value: Any) -> Any:
        number = next(self._numbers)
        self.things[number] = value
        return ["thing", number, type(value).__name__[:80]]

    def _fetch(self, name: str, elements: np.ndarray) -> np.ndarray:
        return np.asarray(self.ask({"kind": "read", "lent": name}, {"elements": elements}))


def _is_plain(error: BaseException) -> bool:
    try:
        return all(type(a) in (str, int, float) for a in error.args)
    except BaseException:
        return False


def main(channel: socket.socket, cells: Cells) -> None:
    """Begin a life in the sandbox."""
    os.environ.clear()
    os.environ.update(_ENVIRONMENT)
    _WORK.mkdir()
    os.chdir(_WORK)
    sys.path.append(str(_WORK))  # the student's own modules come last, as in a kernel
    for name in [n for n in sys.modules if n.startswith("tinytorch.course")]:
        del sys.modules[name]
    with contextlib.suppress(AttributeError):
        del sys.modules["tinytorch"].course  # type: ignore[attr-defined]
    assert isinstance(cells.shell, InteractiveShell)
    cells.loop = asyncio.new_event_loop()  # the old one's descriptors stayed behind
    Child(channel, cells).serve()
