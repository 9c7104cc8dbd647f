"""What a worker does: the reference twice, and every try in a child forked at its answer cell.

The first run of the reference compiles what it compiles; the second begins with an empty namespace,
and before each answer cell that has tries, these are run in children forked at that very point.
So a try finds what a submission finds at its answer, and runs the rest of the notebook.
"""

import _sitebuiltins
import builtins
import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from .children import end_all, run_try
from .sharing import share_compiled
from .shell import Record, Runner

_HELPER = "kernel-helper"  # tinytorch.core.workers' threads: they are forgotten after a fork


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
    runner = Runner()
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
    files = set(os.listdir())
    send({"want": place})
    while given := hear():
        one = job["tries"][int(given)]
        started = time.perf_counter()
        rest = [job["cells"][index] for index in one["rest"]]
        records = run_try(runner, [*one["cells"], *rest], job)
        seconds = time.perf_counter() - started
        _remove_all_but(files)
        send({"try": int(given), "records": records, "seconds": seconds})
        send({"want": place})


def _remove_all_but(files: set[str]) -> None:
    """Clear the working folder of what a try left: a submission finds only its own files there."""
    for name in set(os.listdir()) - files:
        if os.path.isdir(name) and not os.path.islink(name):
            shutil.rmtree(name, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.remove(name)


def _line(commands: Any) -> str:
    """One line without its end; an end of file in the middle means that the course is gone."""
    data = bytearray()
    while not data.endswith(b"\n"):
        part = commands.readline()
        if not part:
            sys.exit(1)
        data += part
    return data.decode().strip()


def _stop(*_: Any) -> None:
    """End at once: what is raised in a running cell would end that cell only."""
    end_all()
    os._exit(1)


def main() -> None:
    """Take a job from the standard input's first line and serve it."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what compiled code or a child process prints is no answer
    builtins.help = _sitebuiltins._Helper()  # the site module is not there to set it
    sys.path.append(os.getcwd())  # the student's own modules come last, as in a kernel
    signal.signal(signal.SIGTERM, _stop)
    commands = os.fdopen(os.dup(0), "rb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    job = json.loads(_line(commands))

    def send(message: Record) -> None:
        os.write(answers, json.dumps(message).encode() + b"\n")

    serve(job, send, lambda: _line(commands))
