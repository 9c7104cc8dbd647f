"""A session with the student's process, for tests: without a sandbox, forked from the test."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator

import pytest

from tinytorch.course.child import Cells, Child
from tinytorch.course.remote import Box, Budget, Proxy, Session
from tinytorch.course.sandbox import end_with_parent
from tinytorch.course.watch import Most, Watch

LONG = Budget(wall=300, call=120, cpu=120)  # seconds; nothing that comes to its end runs into it


class Answers:
    """The names of a notebook as proxies, and the session behind them."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.box = session.box = Box()
        self.box.session = session

    def __getattr__(self, name: str) -> Proxy:
        return Proxy(self.box, [name], name)


@contextlib.contextmanager
def answers(source: str, most: Most | None = None) -> Iterator[Answers]:
    """Run a student's cell in a process of its own; what it defined can be called."""
    if not sys.platform.startswith("linux"):
        pytest.skip("students' processes are watched by what Linux says of them")
    parent = os.getpid()
    first = os.fork()  # what a sandbox begins with: a process that waits
    if first == 0:
        end_with_parent(parent)
        while True:
            signal.pause()
    mine, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            end_with_parent(parent)
            mine.close()
            Child(theirs, Cells()).serve()
        finally:
            os._exit(1)
    theirs.close()
    session = None
    try:
        session = Session(mine, Watch(first, pid), most or Most(memory=8 << 30))
        found = Answers(session)
        session.begin(LONG)
        _, error = session.run_cell("answers", source)
        assert not error, error
        yield found
    finally:
        if session:
            session.close()
        for process in (first, pid):
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
