"""Runs many tries of one lesson in forked children. A script of the grading room, not of the course.

trial.py starts it there with a job (JSON) on the standard input; it answers with a line of JSON per
try. The lesson's reference runs twice: once to compile what it compiles, then again from an empty
namespace, and before each answer cell that has tries, every try is run in a child forked at that
very point. So a try finds what a submission finds at its answer, and runs the rest of the notebook.

Only the standard library and IPython are imported here: the course is not to be found in a room.
"""

import _sitebuiltins
import asyncio
import builtins
import contextlib
import gc
import io
import json
import os
import resource
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

Record: TypeAlias = dict[str, Any]  # one cell's outcome, see `Runner.run`

INTERRUPT_GRACE = 4.0  # seconds for an interrupted cell to end, as nbclient allows
_HELPER = "kernel-helper"  # tinytorch.core.workers' threads: they are forgotten after a fork
_DIED = "the kernel died while this cell ran (an exit, a crash, or out of memory)"
_HUNG = "Stopped after {:g} s: is there a loop that never ends?"


class _Output(io.StringIO):
    """Keeps the first `most` characters that a cell prints."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def write(self, text: str) -> int:
        room = self.most - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)


class _Shell(InteractiveShell):
    """A shell that keeps the errors that a kernel would have put into the notebook."""

    def init_shell(self) -> None:
        self.errors: list[BaseException] = []
        self.exit_asked = False

    def quieten(self) -> None:
        """Leave out the drawing of tracebacks: it takes longer than most test cells."""
        self.errors, self.exit_asked = [], False
        self.InteractiveTB.structured_traceback = lambda *args, **kwargs: []

    def _showtraceback(self, etype: Any, evalue: BaseException, stb: list[str]) -> None:
        self.errors.append(evalue)

    def ask_exit(self) -> None:
        self.exit_asked = True


class Runner:
    """The lesson's namespace, and how one cell is run in it."""

    def __init__(self, most_output: int) -> None:
        config = Config()
        config.HistoryManager.enabled = False  # it keeps a thread, which no fork survives
        self.shell = _Shell.instance(config=config)
        self.shell.quieten()
        self.loop = asyncio.new_event_loop()
        self.labels: dict[str, str] = {}  # of the file names that cells are compiled under
        self.most_output = most_output

    def run(self, label: str, source: str) -> Record:
        """Run one cell as a kernel does: inside a running event loop."""
        shell = self.shell
        shell.errors.clear()
        code = None
        with contextlib.suppress(Exception):  # a cell that is no Python raises once it runs
            code = shell.transform_cell(source)
            name = shell.compile.get_code_name(source, code, shell.execution_count)
            self.labels[name] = label
        out = _Output(self.most_output)
        started, cpu = time.perf_counter(), time.process_time()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            self.loop.run_until_complete(self._in_loop(source, code))
        record: Record = {"label": label, "state": "passed", "output": out.getvalue()}
        record["seconds"] = time.perf_counter() - started
        record["cpu"] = time.process_time() - cpu
        if shell.errors:
            record |= {"state": "failed"} | self._described(shell.errors[0])
        return record

    async def _in_loop(self, source: str, code: str | None) -> None:
        shell = self.shell
        if code is not None and shell.should_run_async(source, transformed_cell=code):
            await shell.run_cell_async(source, store_history=True, transformed_cell=code)
        else:
            shell.run_cell(source, store_history=True)

    def _described(self, error: BaseException) -> Record:
        """What was raised, in which cell, and whether a library raised it there."""
        frames = []
        trace = error.__traceback__
        while trace is not None:
            frames.append((trace.tb_frame.f_code.co_filename, trace.tb_frame.f_globals))
            trace = trace.tb_next
        cells = [self.labels[name] for name, _ in frames if name in self.labels]
        last = frames[-1] if frames else ("", {})
        module = "" if last[0] in self.labels else str(last[1].get("__name__", ""))
        return {
            "error": type(error).__name__,
            "message": _text(error)[:2_000],
            "raised_in": cells[-1] if cells else "",
            "module": module,
        }

    def empty(self) -> None:
        """Forget every name of the notebook, as a new kernel would."""
        self.shell.reset(new_session=True)
        self.shell.quieten()


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # a student's own exception class
        return f"<no text: its __str__ raised {type(failure).__name__}>"


class _Shared:
    """Dispatchers of Numba that reference cells make again: the compiled ones are given back.

    The same function, made of the same code over the very same globals, compiles to the same
    machine code. Whoever changes one of those (a student's helper of the same name) gets a new
    dispatcher, as ever. Without this, every try would compile the expert answers anew.
    """

    def __init__(self, original: Any, namespace: dict[str, Any]) -> None:
        self.original, self.namespace = original, namespace
        self.made: list[tuple[Any, ...]] = []

    def __call__(self, py_func: Any, **options: Any) -> Any:
        apart = py_func.__closure__ or py_func.__kwdefaults__
        if py_func.__globals__ is not self.namespace or apart:
            return self.original(py_func=py_func, **options)
        used = {name: self.namespace.get(name) for name in _names(py_func.__code__)}
        used["<defaults>"], used["<options>"] = py_func.__defaults__, repr(options)
        for code, known, made in self.made:
            if code == py_func.__code__ and _same(known, used):
                return made
        made = self.original(py_func=py_func, **options)
        self.made.append((py_func.__code__, used, made))
        return made


def _names(code: Any) -> set[str]:
    inner = (const for const in code.co_consts if hasattr(const, "co_names"))
    return set(code.co_names).union(*map(_names, inner))


def _same(known: dict[str, Any], used: dict[str, Any]) -> bool:
    plain = (int, float, str, bool)

    def equal(a: Any, b: Any) -> bool:
        if a is b:
            return True
        if type(a) is tuple and type(b) is tuple:
            return len(a) == len(b) and all(map(equal, a, b))
        return type(a) is type(b) and type(a) in plain and bool(a == b)

    return known.keys() == used.keys() and all(equal(known[name], used[name]) for name in known)


def share_compiled(namespace: dict[str, Any]) -> bool:
    """Have `numba.jit` make its dispatchers by `_Shared`, once Numba is there; whether it is."""
    if "numba" not in sys.modules:
        return False
    from numba.core import target_extension

    original = target_extension.resolve_dispatcher_from_str
    shared = _Shared(original("cpu"), namespace)
    target_extension.resolve_dispatcher_from_str = lambda target: (
        shared if target == "cpu" else original(target)
    )
    return True


class _Child:
    """One forked run of a list of cells: the parent's end of it."""

    def __init__(self, runner: Runner, cells: list[Record], job: Record) -> None:
        self.limits = job
        self.reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # helper threads: see _HELPER
            self.pid = os.fork()
        if self.pid == 0:
            _run_as_child(runner, cells, job, writing)
        os.close(writing)

    def follow(self) -> Iterator[tuple[str, Any]]:
        """("start", index), ("done", record), and at last ("end" | "died" | "hung", index)."""
        running, deadline, interrupted = -1, None, False
        for message in self._messages(lambda: deadline):
            if message is None:  # the deadline has passed
                if interrupted:
                    self.kill()
                    yield "hung", running
                    return
                os.kill(self.pid, signal.SIGINT)
                deadline, interrupted = time.monotonic() + INTERRUPT_GRACE, True
            elif "start" in message:
                running, interrupted = message["start"], False
                deadline = time.monotonic() + self.limits["timeout"]
            else:
                if interrupted:
                    message |= _stopped("hung", self.limits)
                deadline = None
                yield "done", message
                if message.get("last"):
                    yield "end", running
                    return
        yield "died", running

    def _messages(self, deadline: Callable[[], float | None]) -> Iterator[Record | None]:
        """The child's messages; None whenever the deadline has passed."""
        pending = b""
        while True:
            until = deadline()
            wait = None if until is None else max(0.0, until - time.monotonic())
            if not select.select([self.reading], [], [], wait)[0]:
                yield None
                continue
            read = os.read(self.reading, 1 << 16)
            if not read:
                return
            *lines, pending = (pending + read).split(b"\n")
            yield from map(json.loads, lines)

    def kill(self) -> None:
        """End the child and what it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> bool:
        """Clean up after it; whether the limit of CPU time ended it."""
        self.kill()
        os.close(self.reading)
        _, status = os.waitpid(self.pid, 0)
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF


def _run_as_child(runner: Runner, cells: list[Record], job: Record, writing: int) -> None:
    """Run the cells and end the process; nothing of the parent's is run in it any more."""
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        runner.loop = asyncio.new_event_loop()  # the parent's watches the parent's files
        if job.get("memory"):
            resource.setrlimit(resource.RLIMIT_AS, (job["memory"], job["memory"]))
        gc.freeze()  # else the first collection copies all of the parent's memory

        def tell(message: Record) -> None:
            data = json.dumps(message).encode() + b"\n"
            while data:
                data = data[os.write(writing, data) :]

        for index, cell in enumerate(cells):
            tell({"start": index})
            try:
                if job.get("cpu"):
                    signal.setitimer(signal.ITIMER_PROF, job["cpu"])
                record = runner.run(cell["label"], cell["source"])
            except KeyboardInterrupt:
                record = {"label": cell["label"], "state": "failed", "error": "KeyboardInterrupt"}
            signal.setitimer(signal.ITIMER_PROF, 0)
            if runner.shell.exit_asked:
                break
            enough = job.get("stop") and cell["test"] and record["state"] != "passed"
            record["last"] = bool(enough) or index == len(cells) - 1
            tell(record)
            if enough:
                break
    finally:
        os._exit(0)


def _stopped(state: str, limits: Record) -> Record:
    if state == "died":
        return {"state": state, "error": "KernelDied", "message": _DIED, "raised_in": ""}
    return {
        "state": state,
        "error": "CellTimeoutError",
        "message": _HUNG.format(limits["timeout"]),
        "raised_in": "",
    }


def run_try(runner: Runner, cells: list[Record], job: Record) -> list[Record]:
    """Run the cells in a child, and once more without the cell at fault when a child dies.

    Cells that have their verdict are not run again, as in the grading of a submission.
    """
    settled: dict[int, Record] = {}
    for _ in range(job["restarts"] + 1):
        left = [index for index in range(len(cells)) if not _over(settled.get(index), cells[index])]
        child = _Child(runner, [cells[index] for index in left], job)
        done, how, running = 0, "died", -1
        try:
            for event, value in child.follow():
                if event == "done":
                    settled[left[done]] = value
                    done += 1
                else:
                    how, running = event, value
        finally:
            used_up = child.close()
        if how == "end" or running < 0:
            break
        record = {"label": cells[left[running]]["label"], "output": ""}
        settled[left[running]] = record | _stopped("hung" if used_up else how, job)
        if job.get("stop"):
            break
    return [settled[index] for index in sorted(settled)]


def _over(record: Record | None, cell: Record) -> bool:
    """Whether a cell is not run again: a test with a verdict, or one that ended or hung."""
    return record is not None and (cell["test"] or record["state"] in ("died", "hung"))


def alone() -> None:
    """Wait for the threads that the reference's cells have ended; a fork would lose live ones.

    Raises RuntimeError that names the threads that stay.
    """
    until = time.monotonic() + 5.0
    while True:
        others = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
        others = [name for name in others if name != _HELPER]
        if not others:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"the reference leaves threads running: {', '.join(others)}")
        time.sleep(0.01)


def serve(job: Record, send: Callable[[Record], None], hear: Callable[[], str]) -> None:
    """Run the reference twice, and every try that is given out; `send` gets what comes of them.

    `hear` waits for the answer to {"warm": True} (an empty line) and to {"want": place}: the index
    of the next try for the answer cell at that place, or an empty line where none is left.
    """
    runner = Runner(job["most_output"])
    cells = job["cells"]
    shared = False
    for cell in cells:
        runner.run(cell["label"], cell["source"])
        shared = shared or share_compiled(runner.shell.user_ns)
    send({"warm": True})
    hear()
    runner.empty()
    places = {one["at"] for one in job["tries"]}
    for index, cell in enumerate(cells):
        if index in places:
            places.remove(index)
            _serve_place(runner, job, index, send, hear)
        if not places and not job["whole"]:
            break
        send({"reference": runner.run(cell["label"], cell["source"]), "test": cell["test"]})


def _serve_place(
    runner: Runner,
    job: Record,
    place: int,
    send: Callable[[Record], None],
    hear: Callable[[], str],
) -> None:
    alone()
    send({"want": place})
    while given := hear():
        one = job["tries"][int(given)]
        started = time.perf_counter()
        rest = [job["cells"][index] for index in one["rest"]]
        records = run_try(runner, [*one["cells"], *rest], job)
        seconds = time.perf_counter() - started
        send({"try": int(given), "records": records, "seconds": seconds})
        send({"want": place})


def _line(commands: Any) -> str:
    """One line without its end; an end of file in the middle means that the course is gone."""
    data = bytearray()
    while not data.endswith(b"\n"):
        part = commands.readline()
        if not part:
            sys.exit(1)
        data += part
    return data.decode().strip()


def main() -> None:
    """Take a job from the standard input's first line and serve it."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what compiled code or a child process prints is no answer
    builtins.help = _sitebuiltins._Helper()  # the site module is not there to set it
    sys.path.append(os.getcwd())  # the student's own modules come last, as in a kernel
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    commands = os.fdopen(os.dup(0), "rb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    job = json.loads(_line(commands))

    def send(message: Record) -> None:
        os.write(answers, json.dumps(message).encode() + b"\n")

    serve(job, send, lambda: _line(commands))


if __name__ == "__main__":
    main()
