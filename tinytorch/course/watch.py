"""A sandbox seen from outside: its processes, their memory and processor time, read from /proc.

Nothing here asks the processes themselves, so nothing that they do to Python can change it.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinytorch.course.groups import Group

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True)
class Most:
    """What all processes of a sandbox may take together.

    memory: bytes beyond what they began with. tasks: processes and threads.
    """

    memory: int = 2 << 30
    tasks: int = 400


class Watch:
    """What is going on in a sandbox, below its first process and the one that went in.

    waiting: processes that are left out. group: where the kernel counts them too.
    """

    def __init__(
        self, first: int, entered: int, waiting: Sequence[int] = (), group: Group | None = None
    ) -> None:
        self.group = group
        # Whoever loses its parent in there becomes a child of the first.
        self.roots, self.waiting = (entered, first), {first, *waiting}
        self._start: int | None = None

    def processes(self) -> list[int]:
        """All processes of the sandbox but those that only wait."""
        found, todo = [], list(reversed(self.roots))
        while todo:
            pid = todo.pop()
            found.append(pid)
            for thread in _listed(f"/proc/{pid}/task"):
                todo += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
        return [pid for pid in found if pid not in self.waiting]

    def cpu_seconds(self) -> float:
        """Processor time of all of them so far, of those that have ended too."""
        total = 0.0
        for pid in {*self.roots, *self.processes()}:
            with contextlib.suppress(OSError):
                total += time.clock_gettime((~pid << 3) | 2)  # the process's own clock
            ended = _fields(pid)[13:15]
            total += sum(map(int, ended)) / _TICKS
        return total

    def busy_threads(self) -> dict[int, float]:
        """Processor seconds of each living thread."""
        found = {}
        for pid in self.processes():
            for thread in _listed(f"/proc/{pid}/task"):
                said = _read(f"/proc/{pid}/task/{thread}/schedstat").split()
                if said:
                    found[int(thread)] = int(said[0]) / 1e9
        return found

    def excess(self, most: Most) -> str:
        """What is too much, in words, or nothing."""
        if self.group and (said := self.group.excess()):
            return said
        tasks, resident = 0, {}
        for pid, fields in self._stats():
            resident[pid] = int(fields[21]) * _PAGE
            tasks += int(fields[17])
        if tasks > most.tasks:
            return f"{tasks} processes and threads, at most {most.tasks} are allowed"
        start = self._start or 0
        memory = sum(resident.values()) - start
        if memory > most.memory and len(resident) > 1:
            # Forks share memory; what each has of its own takes the kernel longer to say.
            memory = sum(_share(pid, size) for pid, size in resident.items()) - start
        if memory > most.memory:
            return f"{memory >> 20:,} MiB of memory, at most {most.memory >> 20:,} are allowed"
        return ""

    def _stats(self) -> Iterator[tuple[int, list[str]]]:
        for pid in self.processes():
            fields = _fields(pid)
            if fields:
                if self._start is None:
                    self._start = int(fields[21]) * _PAGE
                yield pid, fields


def _fields(pid: int) -> list[str]:
    """/proc/<pid>/stat from the state on; field n of proc(5) stands at n - 3."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _share(pid: int, resident: int) -> int:
    """A process's memory, what it shares with others in equal parts; all where that is hidden."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    return resident


def _read(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
