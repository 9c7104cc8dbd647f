"""Runs a list of cells in a forked child, and survives whatever the cells do to it."""

import asyncio
import contextlib
import gc
import json
import os
import resource
import select
import signal
import time
import warnings
from collections.abc import Iterator
from typing import Any

from .shell import Record, Runner

_MOST_RESTARTS = 100  # as in the grading of a submission
INTERRUPT_GRACE = 4.0  # seconds for an interrupted cell to end, as nbclient allows
DIED = "the kernel died while this cell ran (an exit, a crash, or out of memory)"
_HUNG = "Stopped after {:g} s: is there a loop that never ends?"
_alive: "set[_Child]" = set()


def end_all() -> None:
    """End every child, and what it has started."""
    for child in _alive:
        child.kill()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child.pid, 0)


class _Child:
    """One forked run of a list of cells: the parent's end of it."""

    def __init__(self, runner: Runner, cells: list[Record], job: Record) -> None:
        self.limits = job
        self.deadline: float | None = None  # of the cell that runs
        self.reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # the helper threads: see serving.alone
            self.pid = os.fork()
        if self.pid == 0:
            _run_as_child(runner, cells, job, writing)
        os.close(writing)
        _alive.add(self)

    def follow(self) -> Iterator[tuple[str, Any]]:
        """("start", index), ("done", record), and at last ("end" | "died" | "hung", index)."""
        running, interrupted = -1, False
        for message in self._messages():
            if message is None:  # the deadline has passed
                if interrupted:
                    self.kill()
                    yield "hung", running
                    return
                os.kill(self.pid, signal.SIGINT)
                self.deadline, interrupted = time.monotonic() + INTERRUPT_GRACE, True
            elif "start" in message:
                running, interrupted = message["start"], False
                self.deadline = time.monotonic() + self.limits["timeout"]
            else:
                if interrupted:
                    message |= _stopped("hung", self.limits)
                self.deadline = None
                yield "done", message
                if message.get("last"):
                    yield "end", running
                    return
        yield "died", running

    def _messages(self) -> Iterator[Record | None]:
        """The child's messages; None whenever the deadline has passed."""
        pending = b""
        while True:
            wait = None
            if self.deadline is not None:
                wait = max(0.0, self.deadline - time.monotonic())
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
        _alive.discard(self)
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF


def _run_as_child(runner: Runner, cells: list[Record], job: Record, writing: int) -> None:
    """Run the cells and end the process; nothing of the parent's is run in it any more."""
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        runner.loop = asyncio.new_event_loop()  # the parent's watches the parent's files
        if job.get("memory"):
            with contextlib.suppress(ValueError, OSError):  # macOS knows no such limit
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
        return {"state": state, "error": "KernelDied", "message": DIED, "raised_in": ""}
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
    for _ in range(_MOST_RESTARTS + 1):
        left = [index for index in range(len(cells)) if not _over(settled.get(index), cells[index])]
        if not left:
            break
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
        if how == "end":
            break
        if running < 0:
            raise RuntimeError("a try ended before its first cell began")
        record = {"label": cells[left[running]]["label"], "output": ""}
        settled[left[running]] = record | _stopped("hung" if used_up else how, job)
        if job.get("stop"):
            break
    return [settled[index] for index in sorted(settled)]


def _over(record: Record | None, cell: Record) -> bool:
    """Whether a cell is not run again: a test with a verdict, or one that ended or hung."""
    return record is not None and (cell["test"] or record["state"] in ("died", "hung"))
