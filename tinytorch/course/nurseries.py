"""Starts the warm processes that judges are forked from, and keeps one for the next submission.

What runs in them is nursery.py.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils

from tinytorch.course import sandbox, seeds
from tinytorch.course.isolation import (
    Room,
    grading_room,
    is_test,
    is_ungraded,
    ungraded_definitions,
)
from tinytorch.course.project import CourseError, Project
from tinytorch.course.reference import fingerprint

_GRACE = 5.0  # seconds for a nursery to end
_HERE = Path(__file__).resolve().parent
# The course is no part of a student's package: only its own modules are found, by this one process.
_START = """\
import sys, types, builtins, _sitebuiltins
builtins.help = _sitebuiltins._Helper()
import tinytorch
course = types.ModuleType("tinytorch.course")
course.__path__ = [sys.argv.pop(1)]
sys.modules["tinytorch.course"] = course
from tinytorch.course.nursery import main
main()
"""


class GraderFault(RuntimeError):
    """The grader itself failed, not the student; the same submission may be tried again."""


class Line:
    """The way to a warm process, by which judges are asked for; several processes may share one.

    key: what the warm process has run, and for which package. sandbox: its name and version.
    """

    def __init__(self, key: str, sandbox_name: str, control: socket.socket) -> None:
        self.key, self.sandbox, self._control = key, sandbox_name, control

    def is_open(self) -> bool:
        """Whether there is still somebody at the other end."""
        ended = select.poll()
        try:
            ended.register(self._control, 0)
        except ValueError:  # closed here
            return False
        return not ended.poll(0)

    def judge(self, order: dict[str, Any], seconds: float) -> Iterator[dict[str, Any]]:
        """Have a judge forked, and yield what it says; it is ended when that takes too long."""
        plan_out, plan_in = os.pipe()
        said_out, said_in = os.pipe()
        try:
            socket.send_fds(self._control, [b"judge"], [plan_out, said_in])
        except OSError as error:
            os.close(plan_in)
            os.close(said_out)
            raise GraderFault(f"the judges' nursery is gone: {error}") from error
        finally:
            os.close(plan_out)
            os.close(said_in)
        until, pid = time.monotonic() + seconds, 0
        try:
            with contextlib.suppress(BrokenPipeError), os.fdopen(plan_in, "w") as plan:
                json.dump(order, plan)
            for said in _said(said_out, until):
                if "pid" in said:
                    pid = said["pid"]
                else:
                    yield said
        finally:
            os.close(said_out)  # which ends the judge, too, unless it hangs
            for end in (os.killpg, os.kill) if pid else ():
                with contextlib.suppress(OSError):
                    end(pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of it."""
        self._control.close()


_lines: dict[str, Line] = {}
_changing = threading.RLock()  # a Dask worker has several threads


def nursery_of(project: Project, source: NotebookNode) -> Line:
    """The warm process for a lesson: kept from one submission to the next."""
    warm = _warm(source)
    key = fingerprint(project, json.dumps(warm))
    with _changing:
        found = _lines.get(key)
        if found is None or not found.is_open():
            end_nurseries()
            found = _lines[key] = Nursery(project, warm, key)
        return found


def open_lines() -> list[Line]:
    """The ways to the warm processes of this one, for processes that it starts."""
    with _changing:
        found = [line for line in _lines.values() if line.is_open()]
        return [Line(line.key, line.sandbox, line._control) for line in found]


def use(lines: list[Line]) -> None:
    """Have judges forked where another process of this computer has them forked, while it can."""
    with _changing:
        _lines.update({line.key: line for line in lines})


def end_nurseries() -> None:
    """End every warm process of this one, and let go of those of others."""
    with _changing:
        for line in _lines.values():
            line.close()
        _lines.clear()


class Nursery(Line):
    """A warm process that judges are forked from, with the room that they find the package in.

    warm: the cells that it runs first. `close` ends it, and so does the end of all processes that
    have a line to it.
    """

    def __init__(self, project: Project, warm: list[str], key: str) -> None:
        sandbox.require()  # said before anything else is started
        mine, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        super().__init__(key, sandbox.name(), mine)
        self._stack = contextlib.ExitStack()
        self._owner = os.getpid()
        room = self._stack.enter_context(grading_room(project))
        environment = _environment(room)
        with room.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-S", "-P", "-c", _START, str(_HERE), str(theirs.fileno())],
                cwd=room.work,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
            )
        theirs.close()
        orders = {"warm": warm, "room": str(room.work.parent)} | _folders(project, room)
        ready = False
        with contextlib.suppress(OSError):  # it has ended, and not read all
            assert self.process.stdin
            with self.process.stdin as told:
                told.write(json.dumps(orders).encode())
            ready = self._control.recv(16) == b"ready"
        if not ready:
            lines = room.log.read_text(errors="replace").strip().splitlines()
            self.close()
            raise GraderFault(f"the judges' nursery did not start: {' / '.join(lines[-3:])}")
        atexit.register(self.close)

    def judge(self, order: dict[str, Any], seconds: float) -> Iterator[dict[str, Any]]:
        """See Line."""
        try:
            yield from super().judge(order, seconds)
        finally:
            if self.process.poll() is not None:  # it was killed, and its room is of no more use
                self.close()

    def close(self) -> None:
        """End it, and remove its room."""
        if os.getpid() != self._owner:
            return
        super().close()
        try:
            # By itself, so that the room goes even if this process is ended meanwhile.
            self.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._stack.close()
        atexit.unregister(self.close)


def _said(reading: int, until: float) -> Iterator[dict[str, Any]]:
    pending = b""
    while (left := until - time.monotonic()) > 0:
        if not select.select([reading], [], [], left)[0]:
            return
        part = os.read(reading, 1 << 16)
        if not part:
            return
        *whole, pending = (pending + part).split(b"\n")
        for line in whole:
            yield json.loads(line)


def _environment(room: Room) -> dict[str, str]:
    environment = dict(room.environment)
    for name in ("OMP", "OPENBLAS", "MKL"):
        environment[f"{name}_NUM_THREADS"] = "1"  # their threads would not survive a fork
    environment |= {"VECLIB_MAXIMUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    # Most of a submission's time goes to Numba's compiler, and no test asks how fast its code is.
    environment["NUMBA_OPT"] = "0"
    # Memory that was given back is kept: arrays that come and go need no new pages each time.
    environment |= {"MALLOC_MMAP_THRESHOLD_": str(30 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 28)}
    environment["MALLOC_TOP_PAD_"] = str(64 << 20)
    environment["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    environment["MPLCONFIGDIR"] = environment["HOME"]
    environment.pop(seeds.VARIABLE, None)
    return environment


def _warm(source: NotebookNode) -> list[str]:
    """What every submission runs first: the instructor's own cells but answers and tests."""
    found = []
    for cell in source.cells:
        if cell.cell_type != "code" or is_test(cell) or utils.is_solution(cell):
            continue
        if is_ungraded(cell):
            found.append(ungraded_definitions(cell.source))
        elif utils.is_locked(cell):
            found.append(cell.source)
    return found


def _folders(project: Project, room: Room) -> dict[str, list[str]]:
    """What a sandbox shows of this computer, and what of that it hides."""
    roots = [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve()]
    readable = [*roots, room.package.parent]
    packages = [Path(entry) for entry in sys.path if Path(entry).name.endswith("-packages")]
    hidden = [p / "tinytorch" for p in packages if (p / "tinytorch").is_dir()]
    inside = [root for root in (*roots, Path("/usr")) if project.root.is_relative_to(root)]
    if inside:
        raise CourseError(
            f"The course lies in {inside[0]}, which submissions may read while they are graded. "
            "Move it to a folder of its own."
        )
    return {"readable": [str(p) for p in readable], "hidden": [str(p) for p in hidden]}
