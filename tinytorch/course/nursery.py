"""A warm process that judges are forked from: it has imported what they need, and knows no secret.

Imports cost more than most submissions take, so they are made once. It runs none of a student's
code, and none of the tests. It ends when the process that started it does.
"""

import contextlib
import gc
import json
import os
import shutil
import signal
import socket
import sys
from typing import Any

from tinytorch.course import sandbox
from tinytorch.course.child import Cells
from tinytorch.course.judge import begin
from tinytorch.course.trial_room.sharing import share_compiled

# Objects until the next look for garbage: with Python's 700, a compiler spends a tenth on it. Fewer
# than a test of the lesson makes to see whether the collector is on (lab/workloads.py).
_GARBAGE = 4_000


def main() -> None:
    """Serve judges over the socket whose number is the first argument; stdin has the orders."""
    control = socket.socket(fileno=int(sys.argv[1]))
    told, mine = json.load(sys.stdin), os.getpid()
    try:
        _serve(control, told)
    finally:
        if os.getpid() == mine:  # and no judge
            shutil.rmtree(told["room"], ignore_errors=True)  # a killed owner could not


def _serve(control: socket.socket, told: dict[str, Any]) -> None:
    cells = _warm(told["warm"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # judges that have ended are forgotten
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started this
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    control.sendall(b"ready")
    while True:
        order, descriptors, _, _ = socket.recv_fds(control, 16, 2)
        if not order:
            break
        mine = os.getpid()
        if os.fork() == 0:
            sandbox.end_with_parent(mine)
            control.close()
            os.setpgid(0, 0)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
            begin(descriptors[0], descriptors[1], cells, told)
        for descriptor in descriptors:
            os.close(descriptor)


def _warm(sources: list[str]) -> Cells:
    """Run what every submission runs first, so that its imports are done and its code compiled."""
    cells = Cells()
    for number, source in enumerate(sources):
        cells.show(f"warm{number}", source)
    _load_compiled(cells.shell.user_ns)
    cells.empty()
    cells.begin()
    return cells


def _load_compiled(names: dict[str, Any]) -> None:
    """Have Numba, if the lesson uses it, start its compiler and load what has been compiled.

    A sandbox cannot write beside the package, and there Numba does not read either.
    """
    if not share_compiled(names):
        return
    import numba
    import numpy as np
    from numba.core.dispatcher import Dispatcher

    @numba.njit
    def add(x: Any, y: Any) -> Any:
        for i in range(x.shape[0]):
            x[i] += y
        return x

    add(np.ones(3, np.float32), 1)
    modules = [m for n, m in list(sys.modules.items()) if n.startswith("tinytorch.core")]
    functions = {id(f): f for m in modules for f in vars(m).values() if isinstance(f, Dispatcher)}
    for function in functions.values():
        with contextlib.suppress(Exception):  # what is not stored, or not for this processor
            stored = function._cache._cache_file._load_index()  # type: ignore[attr-defined]
            for signature in [key[0] for key in stored]:
                function.compile(signature)


if __name__ == "__main__":
    main()
