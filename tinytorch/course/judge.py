"""The trusted process of one submission: runs the tests, and says of each cell what became of it.

It begins as a fork of the nursery. Before it learns what the tests are it forks once more: that
process, the spawner, makes the sandboxes and lends them its memory, so nothing of the tests can be
in them.
"""

import ast
import contextlib
import io
import json
import linecache
import os
import select
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from IPython.core.inputtransformer2 import TransformerManager

from tinytorch.course import child, groups, sandbox
from tinytorch.course.groups import Group
from tinytorch.course.pictures import is_picture
from tinytorch.course.remote import Box, Budget, Fault, Proxy, Session
from tinytorch.course.watch import Most, Watch
from tinytorch.lab.expect import SEED

_MOST_TEXT = 20_000  # characters of a cell's output
_OWN_TASKS = 8  # of the sandbox itself, beside what a submission may start
_LEAST = 3.0  # seconds that a call may take, after however many that hung


def begin(plan: int, verdicts: int, cells: child.Cells, told: dict[str, Any]) -> NoReturn:
    """Live the life of a judge, in a process forked for it.

    plan, verdicts: file descriptors. told: the nursery's orders; `readable` and `hidden` are the
    folders that a sandbox shows and does not show.
    """
    mine, theirs = socket.socketpair()
    if os.fork() == 0:
        os.close(plan)
        os.close(verdicts)
        mine.close()
        _spawn(theirs, cells, told)
    theirs.close()
    with os.fdopen(plan, "rb") as source, os.fdopen(verdicts, "w") as out:
        order = json.load(source)

        def say(message: dict[str, Any]) -> None:
            out.write(json.dumps(message) + "\n")
            out.flush()

        say({"pid": os.getpid()})
        threading.Thread(target=_end_with_listener, args=(verdicts,), daemon=True).start()
        try:
            Judge(order, mine, say).run()
        except BaseException as error:
            text = "".join(traceback.format_exception(error))[-4_000:]
            with contextlib.suppress(Exception):
                say({"broken": text})
    os._exit(0)  # threads that wait for somebody must not keep this one


def _end_with_listener(verdicts: int) -> None:
    """End this process when nobody listens any more: whoever asked for it was killed."""
    gone = select.poll()
    gone.register(verdicts, 0)
    gone.poll()
    os._exit(1)


def _spawn(orders: socket.socket, cells: child.Cells, told: dict[str, Any]) -> NoReturn:
    """Make a sandbox with a child in it whenever the judge asks for one; end the one before."""
    cage: sandbox.Cage | None = None
    readable, hidden = ([Path(p) for p in told[name]] for name in ("readable", "hidden"))
    try:
        while True:
            order, descriptors, _, _ = socket.recv_fds(orders, 64, 1)
            answer: dict[str, Any] = {"ended_by": cage.close() if cage else 0}
            cage = None
            if not order:
                break
            if not descriptors:
                orders.sendall(json.dumps(answer).encode() + b"\n")
                continue
            channel = socket.socket(fileno=descriptors[0])
            try:
                memory, tasks = map(int, order.split())
                group = groups.make(memory + 2 * sandbox.SCRATCH, tasks + _OWN_TASKS)
                cage = sandbox.Cage(readable, hidden, group)
                life = partial(child.main, channel, cells)
                entered = cage.enter(life, channel.fileno(), sandbox.Limits())
                answer = {"first": cage.first, "entered": entered, "waiting": cage.waiting}
                answer["group"] = cage.group and cage.group.told()
            except (OSError, RuntimeError) as error:
                answer = {"error": str(error)}
            channel.close()
            orders.sendall(json.dumps(answer).encode() + b"\n")
    finally:
        os._exit(0)


class Judge:
    """One submission: its cells in their order, the student's process, and the tests."""

    def __init__(
        self, plan: dict[str, Any], spawner: socket.socket, say: Callable[[Any], None]
    ) -> None:
        self.plan, self.spawner, self.say = plan, spawner, say
        self.most = Most(**plan["most"])
        self.names: dict[str, Any] = {"__name__": "__main__"}
        os.environ[SEED] = str(plan["seed"])
        self.box = Box()
        self.session: Session | None = None
        self.done: list[dict[str, Any]] = []  # the cells that a new child runs again
        self.killed: set[int] = set()  # cells whose child was killed once
        self.views: dict[int, dict[str, Any]] = {}  # all names before each hidden test
        self.left: dict[str, Any] = {}  # names that hidden tests made
        self.hangs: dict[str, int] = {}  # how often each answer did not come back
        self.seconds = {"child": 0.0, "cells": 0.0, "tests": 0.0, "child_cpu": 0.0}
        self.transform = TransformerManager().transform_cell

    def run(self) -> None:
        """Run all cells, and say of each what became of it.

        The hidden tests come last, with all names as they stood where each test stands: code that
        has seen their inputs runs no more in a cell whose outputs are shown.
        """
        for cell in self.plan["cells"]:
            if cell["hidden"]:
                self._remember(cell)
            else:
                self._judge(cell)
        for cell in self.plan["cells"]:
            if cell["hidden"]:
                self._judge(cell)
        self._bury()
        self.seconds["judge_cpu"] = time.process_time()
        self.say({"end": True, "seconds": self.seconds})

    def _remember(self, cell: dict[str, Any]) -> None:
        """Keep all names as they are before a hidden test, here and in the student's process."""
        self.views[cell["index"]] = dict(self.names)
        with contextlib.suppress(Fault):  # whoever runs next makes another, which keeps them too
            self._live()
            self._keep(cell)

    def _keep(self, cell: dict[str, Any]) -> None:
        assert self.session
        self.session.begin(self._budget(""))
        self.session.keep(cell["index"])
        self.session.end()

    def _judge(self, cell: dict[str, Any]) -> None:
        """Run one cell, and say what became of it."""
        started = time.monotonic()
        outputs: list[dict[str, Any]] = []
        try:
            outputs, state = self._settle(cell)
        except Fault as fault:
            state = fault.state
            outputs = [*outputs, _error(_NAMES[state], str(fault))]
            if state == "hung":
                self.hangs[cell["answer"]] = self.hangs.get(cell["answer"], 0) + 1
        seconds = time.monotonic() - started
        self.seconds["tests" if cell["role"] == "test" else "cells"] += seconds
        said = {"index": cell["index"], "state": state, "outputs": outputs, "seconds": seconds}
        self.say(said)

    def _settle(self, cell: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        """Run a cell; once more if the student's process was killed."""
        while True:
            self._live()
            try:
                return self._run(cell)
            except Fault as fault:
                if not self._may_run_again(cell, fault):
                    raise

    def _may_run_again(self, cell: dict[str, Any], fault: Fault) -> bool:
        """Whether the process was killed in this cell for the first time, by no limit of ours.

        By its own code, or from outside (somebody, or the system that ran out of memory): nobody
        can tell. So an honest answer loses nothing, and another one wins nothing.
        """
        assert self.session
        if not fault.gone or self.session.watch.excess(self.most):
            return False
        if self._order(b"end")["ended_by"] != signal.SIGKILL:
            return False
        first = cell["index"] not in self.killed
        self.killed.add(cell["index"])
        return first

    def _bury(self) -> None:
        """Let go of the student's process."""
        if self.session:
            self.seconds["child_cpu"] += self.session.watch.cpu_seconds()
            self.session.close()

    def _run(self, cell: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        if cell["role"] == "test":
            return self._test(cell)
        outputs, state = self._student(cell)
        self.done.append(cell)
        for name in cell["names"]:
            self.names[name] = Proxy(self.box, [name], name)
        if cell["role"] == "locked":
            mine, state = self._here(cell)
            outputs = mine or outputs
        return outputs, state

    def _live(self) -> None:
        """See to it that there is a student's process, with all cells so far."""
        while self.session is None or self.session.fault:
            started = time.monotonic()
            self._bury()
            self.session = self._born()
            self.seconds["child"] += time.monotonic() - started
            self._repeat()

    def _repeat(self) -> None:
        """Run in a new process what has been run, and keep its names where they were kept."""
        last = None
        for cell in self.plan["cells"]:
            try:
                if cell["index"] in self.views:
                    self._keep(cell)
                elif cell in self.done:
                    last = cell
                    self._student(cell)
            except Fault as fault:  # it ran the first time, and does not now
                if self._may_run_again(last or cell, fault):
                    return
                if last is None:
                    raise RuntimeError(f"the student's process does not stay: {fault}") from fault
                self.done.remove(last)
                return

    def _born(self) -> Session:
        mine, theirs = socket.socketpair()
        for end in (mine, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        told = self._order(f"{self.most.memory} {self.most.tasks}".encode(), theirs)
        theirs.close()
        group = Group.of(told["group"]) if told["group"] else None
        watch = Watch(told["first"], told["entered"], told["waiting"], group)
        try:
            session = Session(mine, watch, self.most)
            session.box, self.box.session = self.box, session
            if self.plan["companions"]:
                files = {n: bytes.fromhex(data) for n, data in self.plan["companions"].items()}
                session.give_files(files)
        except Fault as fault:  # before any of the student's code
            raise RuntimeError(f"the student's process did not begin: {fault}") from fault
        return session

    def _order(self, order: bytes, channel: socket.socket | None = None) -> dict[str, Any]:
        """Ask the spawner for a child or for the last one's end; RuntimeError if it cannot."""
        try:
            if channel:
                socket.send_fds(self.spawner, [order], [channel.fileno()])
            else:
                self.spawner.sendall(order)
            said = self.spawner.makefile("rb").readline()
        except OSError:
            said = b""
        told: dict[str, Any] = json.loads(said or '{"error": "its maker has ended"}')
        if "error" in told:
            raise RuntimeError(f"the sandbox could not be made: {told['error']}")
        return told

    def _budget(self, answer: str) -> Budget:
        given = self.plan["budget"]
        share = 0.5 ** self.hangs.get(answer, 0)
        call, cpu = (max(_LEAST, given[name] * share) for name in ("call", "cpu"))
        return Budget(given["wall"], call, cpu)

    def _student(self, cell: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        session = self.session
        assert session
        session.begin(self._budget(cell["answer"]))
        said, error = session.run_cell(cell["label"], cell["source"])
        session.end()
        outputs = _outputs(said)
        if type(error) is list and error and all(type(part) is str for part in error):
            name, text, *where = [part[:4_000] for part in error]
            outputs.append(_error(name[:80], text, where))
        return outputs, "failed" if error else "passed"

    def _test(self, cell: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        session = self.session
        assert session
        session.begin(self._budget(cell["answer"]), cell["hidden"])
        view = self.views.get(cell["index"], self.names)
        if cell["hidden"]:
            session.restore(cell["index"])
            self.names.clear()
            self.names.update(self.left | view)
        outputs, state = self._here(cell)
        if cell["hidden"]:
            self.left |= {name: v for name, v in self.names.items() if name not in view}
        session.end()  # a process that did not survive its test has not passed it
        if state == "failed" and session.said:  # left out of feedback, as all that is printed
            text = "".join(f"The answer said: {said}\n" for said in session.said[-3:])
            outputs.insert(0, {"output_type": "stream", "name": "stdout", "text": text})
        return outputs, state

    def _here(self, cell: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        """Run a cell of the instructor's in this process."""
        out, state = _Output(), "passed"
        outputs: list[dict[str, Any]] = []
        name = f"<{cell['label']}>"
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                source = cell["source"]
                try:
                    tree = ast.parse(source, name)
                except SyntaxError:  # magics and the like are looked for only where it is no Python
                    source = self.transform(source)
                    tree = ast.parse(source, name)
                linecache.cache[name] = (len(source), None, source.splitlines(True), name)
                exec(compile(tree, name, "exec"), self.names)
        except Fault:
            raise
        except BaseException as error:
            state = "failed"
            withheld = getattr(error, "withheld", None) is not None
            text = _WITHHELD if withheld else _text(error)
            outputs.append(_error(type(error).__name__, text, _lines(error, name)))
        if printed := out.getvalue():
            outputs.insert(0, {"output_type": "stream", "name": "stdout", "text": printed})
        return outputs, state


_WITHHELD = "raised by the answer, whose words are not shown for a hidden test"
_NAMES = {"died": "KernelDied", "hung": "CellTimeoutError"}


class _Output(io.StringIO):
    def write(self, text: str) -> int:
        return super().write(text[: max(0, _MOST_TEXT - self.tell())])


def _outputs(said: Any) -> list[dict[str, Any]]:
    """Of what the student's process calls outputs, text and pictures of a bounded size."""
    kept: list[dict[str, Any]] = []
    for output in said[:60] if type(said) is list else []:
        if type(output) is not dict:
            continue
        text, data = output.get("text"), output.get("data")
        if type(text) is str:
            stream = "stderr" if output.get("name") == "stderr" else "stdout"
            kept.append({"output_type": "stream", "name": stream, "text": text[:_MOST_TEXT]})
        elif type(data) is dict:
            shown = {k: data[k] for k in ("image/png",) if is_picture(k, data.get(k))}
            if type(data.get("text/plain")) is str:
                shown["text/plain"] = data["text/plain"][:_MOST_TEXT]
            if shown:
                kept.append({"output_type": "display_data", "data": shown, "metadata": {}})
    return kept


def _error(name: str, text: str, lines: list[str] | None = None) -> dict[str, Any]:
    said = f"{name}: {text}"
    trace = [*(lines or []), said]
    return {"output_type": "error", "ename": name, "evalue": text, "traceback": trace}


def _lines(error: BaseException, name: str) -> list[str]:
    """Where in the cell it was raised."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == name]
    return [f"line {frame.lineno}: {frame.line}" for frame in frames]


def _text(error: BaseException) -> str:
    try:
        return str(error)[:4_000]
    except Exception:
        return ""
