"""Starts the processes that run tries, each in a grading room, and hands the tries out to them."""

import contextlib
import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tinytorch.course import compiled, seeds
from tinytorch.course.isolation import Room, grading_room
from tinytorch.course.project import CourseError, Project
from tinytorch.course.terminal import Progress

# As a submission's kernel, but the path leads to the course for this one import.
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from trial_room.serving import main; "
    "sys.path.remove(sys.argv.pop()); main()"
)


@dataclass(frozen=True)
class Plan:
    """One try as a worker is told: where it branches off, its cells, and which follow them."""

    name: str
    at: int
    cells: list[dict[str, Any]]
    rest: list[int]

    def as_job(self) -> dict[str, Any]:
        """The part of it that the worker needs."""
        return {"at": self.at, "cells": self.cells, "rest": self.rest}


class Crowd:
    """The worker processes of one run, each in a room of its own, followed by a thread each."""

    def __init__(
        self,
        project: Project,
        cells: list[dict[str, Any]],
        plans: Sequence[Plan],
        limits: dict[str, Any],
        seed: int | None = None,
        on_progress: Progress | None = None,
    ) -> None:
        self.project, self.plans, self.seed = project, plans, seed
        self.on_progress = on_progress
        self.job = limits | {"cells": cells, "tries": [plan.as_job() for plan in plans]}
        self.todo: dict[int, deque[int]] = {}  # the tries of each answer cell's place
        for index, plan in enumerate(plans):
            self.todo.setdefault(plan.at, deque()).append(index)
        self.results: dict[int, tuple[list[dict[str, Any]], float]] = {}
        self.faults: list[str] = []
        self.lock = threading.Lock()

    def serve(self, count: int) -> dict[int, tuple[list[dict[str, Any]], float]]:
        """Run all tries in `count` processes side by side; results by the index of the try."""
        with contextlib.ExitStack() as stack:
            threads = []
            for number in range(count):
                # One of them sees the reference to the end of the notebook.
                job = self.job | {"whole": self.job["whole"] and number == 0}
                room = stack.enter_context(grading_room(self.project))
                process = stack.enter_context(_worker(room, self.seed))
                threads.append(
                    threading.Thread(target=self._follow, args=(process, room, job), daemon=True)
                )
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        if self.faults:
            raise CourseError(self.faults[0])
        return self.results

    def _follow(self, process: "subprocess.Popen[bytes]", room: Room, job: dict[str, Any]) -> None:
        assert process.stdin and process.stdout
        try:
            _say(process.stdin, json.dumps(job))
            for line in process.stdout:
                self._answer(json.loads(line), process.stdin, room)
        except BrokenPipeError:
            pass  # it has ended: what it said is read below
        except ValueError:
            if not process.stdout.closed:  # else the whole run is ended from outside
                raise
        if process.wait():
            self._fault(_ended(room, process.returncode))

    def _answer(self, message: dict[str, Any], worker: IO[bytes], room: Room) -> None:
        if "warm" in message:
            compiled.keep(self.project, room.package)
            _say(worker, "")
        elif "want" in message:
            _say(worker, self._next(message["want"]))
        elif "reference" in message:
            self._check(message)
        else:
            self._take(message)

    def _next(self, place: int) -> str:
        with self.lock:
            left = self.todo[place]
            return str(left.popleft()) if left and not self.faults else ""

    def _check(self, message: dict[str, Any]) -> None:
        record = message["reference"]
        if record["state"] != "passed":
            what = "does not pass" if message["test"] else "fails in"
            self._fault(
                f"The reference {what} {record['label']} ({record['error']}: "
                f"{record['message'][:200]}): nothing can be said of other answers. "
                "Run `tito test`."
            )

    def _take(self, message: dict[str, Any]) -> None:
        with self.lock:
            self.results[message["try"]] = (message["records"], message["seconds"])
            if self.on_progress:
                name = self.plans[message["try"]].name
                self.on_progress(len(self.results), len(self.plans), name)

    def _fault(self, what: str) -> None:
        with self.lock:
            self.faults.append(what)


def _say(stream: IO[bytes], line: str) -> None:
    stream.write(line.encode() + b"\n")
    stream.flush()


def _ended(room: Room, code: int) -> str:
    lines = room.log.read_text(errors="replace").split("\n") if room.log.is_file() else []
    last = [line.strip() for line in lines if line.strip()][-3:]
    return f"A worker ended early (exit code {code}). It said: {' / '.join(last) or 'nothing'}"


@contextlib.contextmanager
def _worker(room: Room, seed: int | None) -> "Iterator[subprocess.Popen[bytes]]":
    """Start a worker in its room; it is ended when the run ends, whatever the reason."""
    environment = dict(room.environment)
    for name in ("OMP", "OPENBLAS", "MKL"):
        environment[f"{name}_NUM_THREADS"] = "1"  # their threads would not survive a fork
    environment["VECLIB_MAXIMUM_THREADS"] = "1"
    environment["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # a kernel's
    if seed is not None:
        environment[seeds.VARIABLE] = str(seed)
    with room.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-S", "-P", "-c", _START, str(Path(__file__).resolve().parent)],
            cwd=room.work,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches the course, which ends its workers
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate()
