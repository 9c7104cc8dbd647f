"""A stand-in for the grader's proxies, for tests: the answer stays in this process, or in a fork.

`Here` does everything in the process of the test: what is lent, asks directly. `Elsewhere` is a
real other process, to which calls and data go by a socket; no callables, and nothing is lent.
"""

import inspect
import itertools
import os
import pickle
import signal
import socket
import struct
import time
from functools import partial
from pathlib import Path

from tinytorch.lab.judged import ASKED
from tinytorch.lab.lending import Desk, Lent
from tinytorch.lab.lent import run_lent
from tinytorch.lab.lent_tape import Borrowed
from tinytorch.lab.workloads import WORKLOADS, Workload


class Here:
    """A proxy of a function, class or bound method of this process; made by `proxy`."""

    def __init__(self, answer, patience=3.0, shared=None):
        self.__judged__ = shared or Asked(answer, patience)
        self._answer = answer
        self.__name__ = getattr(answer, "__name__", type(answer).__name__)

    def __call__(self, *args, **kwargs):
        judged = self.__judged__
        sent = [judged.sent(x) for x in args]
        if any(isinstance(x, Borrowed) for x in sent):
            return run_lent(self._answer, tuple(sent), kwargs, judged.fetch)
        result = self._answer(*sent, **kwargs)
        return Here(result, shared=judged) if inspect.isclass(self._answer) else result

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return Here(getattr(self._answer, name), shared=self.__judged__)


class Asked:
    """Fulfils `tinytorch.lab.proxies.Judged` for an answer of this process."""

    def __init__(self, answer, patience=3.0, forged=None):
        self.answer, self.forged = answer, forged or {}
        self._desk, self._loans, self._numbers = Desk(patience), {}, itertools.count()

    def ask(self, name, *args):
        if name in self.forged:
            return self.forged[name]
        return ASKED[name](self.answer, *args)

    def cpu_seconds(self):
        return time.process_time()

    def busy_threads(self):
        tasks = Path("/proc/self/task").iterdir()
        return {int(t.name): int((t / "schedstat").read_text().split()[0]) / 1e9 for t in tasks}

    def lend(self, array):
        loan = Lent(array, self._desk)
        self._loans[f"loan {next(self._numbers)}"] = loan
        return loan

    def fetch(self, name, elements):
        return self._loans[name].answer(elements)

    def sent(self, argument):
        """What of an argument would arrive in the other process."""
        if isinstance(argument, Workload):
            return WORKLOADS[argument.name](*argument.arguments)
        if isinstance(argument, Lent):
            name = next(name for name, loan in self._loans.items() if loan is argument)
            return Borrowed(name, argument.shape, argument.dtype.str)
        return argument


class Elsewhere:
    """An answer in a forked process: an entry of the corpus, or whatever `make()` gives."""

    def __init__(self, make):
        self._socket, theirs = socket.socketpair()
        self._process = os.fork()
        if not self._process:
            try:
                answer = make()
                while True:
                    name, args = _received(theirs)
                    _send(theirs, (partial(ASKED[name], answer) if name else answer)(*args))
            finally:
                os._exit(1)
        theirs.close()
        self.__judged__, self.__name__ = self, "kernel"

    def __call__(self, *args):
        return self.ask("", *args)

    def ask(self, name, *args):
        _send(self._socket, (name, args))
        return _received(self._socket)

    def cpu_seconds(self):
        return time.clock_gettime(~self._process << 3 | 2)  # the processor clock of a process

    def close(self):
        self._socket.close()
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def _send(connection, value):
    data = pickle.dumps(value, 5)
    connection.sendall(struct.pack("q", len(data)) + data)


def _received(connection):
    (size,) = struct.unpack("q", connection.recv(8, socket.MSG_WAITALL))
    return pickle.loads(connection.recv(size, socket.MSG_WAITALL))
