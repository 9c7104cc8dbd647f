"""Control groups: the kernel's own limit on memory and on processes for all of one sandbox.

Where none can be made (a plain user without a delegated group, a container whose groups are
read-only), watch.py is what there is: it sees the same from outside, a moment later.
"""

import contextlib
import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NAME = "tinytorch-"
_numbers = itertools.count()
_PATIENCE = 100  # tries, a hundredth of a second apart, for processes that are just ending


@dataclass(frozen=True)
class _Kind:
    """The files of one version: what is written to limit, and what counts what was refused."""

    memory: str
    swap: str
    killed: str


_KINDS = {
    2: _Kind("memory.max", "memory.swap.max", "memory.events"),
    1: _Kind("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control"),
}


@dataclass(frozen=True)
class Group:
    """A control group for one sandbox. folders: one with version 2, one for each limit with 1."""

    memory: Path
    pids: Path
    version: int

    @property
    def folders(self) -> list[Path]:
        """Its folders, without repetition."""
        return list(dict.fromkeys([self.memory, self.pids]))

    def told(self) -> list[Any]:
        """What another process makes the same one of, by `of`."""
        return [str(self.memory), str(self.pids), self.version]

    @classmethod
    def of(cls, told: list[Any]) -> "Group":
        """The group that `told` tells of."""
        memory, pids, version = told
        return cls(Path(memory), Path(pids), version)

    def add(self, pid: int = 0) -> None:
        """Put a process into it, by default the calling one; OSError where that is forbidden."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def excess(self) -> str:
        """What the kernel refused because it was too much, in words, or nothing."""
        if _count(self.memory / _KINDS[self.version].killed, "oom_kill") and self._was_full():
            return "more memory than is allowed"
        if _count(self.pids / "pids.events", "max"):
            return "more processes and threads than are allowed"
        return ""

    def _was_full(self) -> bool:
        """Whether its own limit was met; else it was the computer's memory that did not suffice."""
        if self.version == 2:
            return _count(self.memory / "memory.events", "oom") > 0
        used, most = (
            int(_text(self.memory / f"memory.{name}_in_bytes") or 0)
            for name in ("max_usage", "limit")
        )
        return used > most - most // 16  # memory.failcnt stays 0 in newer kernels

    def close(self) -> None:
        """Remove it, once its processes have ended."""
        for folder in self.folders:
            for _ in range(_PATIENCE):
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)
                else:
                    break


def make(memory: int, tasks: int, root: Path = Path("/")) -> Group | None:
    """A group that may take so many bytes and so many processes and threads; None if none can be.

    root: where proc and sys are.
    """
    for version, parents in _parents(root):
        name = f"{_NAME}{os.getpid()}-{next(_numbers)}"
        group = Group(parents["memory"] / name, parents["pids"] / name, version)
        try:
            for folder in group.folders:
                _sweep(folder.parent, root)
                folder.mkdir()
            (group.memory / _KINDS[version].memory).write_text(str(memory))
            (group.pids / "pids.max").write_text(str(tasks))
        except OSError:
            group.close()
            continue
        with contextlib.suppress(OSError):  # a kernel that does not count swap
            swap = memory if version == 1 else 0
            (group.memory / _KINDS[version].swap).write_text(str(swap))
        return group
    return None


def _parents(root: Path) -> list[tuple[int, dict[str, Path]]]:
    """Where a group may be made, the nearest first."""
    mounts, own = _mounts(root), _own(root)
    found: list[tuple[int, dict[str, Path]]] = []
    if {"memory", "pids"} <= mounts.keys():
        found.append(
            (1, {kind: _below(mounts[kind], own.get(kind, "/")) for kind in ("memory", "pids")})
        )
    if "" in mounts:
        top = mounts[""]
        place = _below(top, own.get("", "/"))
        for folder in (place, *place.parents):
            if not folder.is_relative_to(top):
                break
            passed_on = _text(folder / "cgroup.subtree_control").split()
            if {"memory", "pids"} <= set(passed_on):
                found.append((2, {"memory": folder, "pids": folder}))
    return found


def _mounts(root: Path) -> dict[str, Path]:
    """Where each controller's groups are; those of version 2 go by the empty name."""
    found: dict[str, Path] = {}
    for line in _text(root / "proc/self/mounts").splitlines():
        _, place, kind, options, *_ = line.split()
        names = [""] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []
        for name in names:
            found.setdefault(name, root / place.lstrip("/"))
    return found


def _own(root: Path) -> dict[str, str]:
    """The calling process's group by controller."""
    found = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            found[name] = path
    return found


def _below(mount: Path, path: str) -> Path:
    """A group's folder; in a container its name may be the one that it has outside."""
    folder = mount / path.lstrip("/")
    return folder if folder.is_dir() else mount


def _sweep(parent: Path, root: Path) -> None:
    """Remove what graders that were killed have left."""
    for folder in parent.glob(f"{_NAME}*"):
        owner = folder.name.removeprefix(_NAME).partition("-")[0]
        if not (root / "proc" / owner).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()


def _count(path: Path, name: str) -> int:
    for line in _text(path).splitlines():
        word, _, number = line.partition(" ")
        if word == name:
            return int(number)
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
