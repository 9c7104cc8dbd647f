"""Grades a class by `tito grade` while its processes are killed, and looks at what came of it.

For test_kills.py, and for the table in benchmarks/kills.py. Judge and sandbox are the real ones,
the lesson is small. Linux only: processes are known by /proc, and whoever loses its parent becomes
a child of this process, so that nothing which is left over goes unseen.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from tests.class_courses import make_pair_course, rows
from tinytorch.course.build import build
from tinytorch.course.project import Project
from tinytorch.course.records import Records
from tinytorch.course.release import generate
from tinytorch.course.submissions import hand_in

A, NB = "02_pair", "pair_dev"
HERE = ("coordinator", "worker", "nursery", "judge", "spawner", "sandbox", "child")
CLUSTER = ("coordinator", "Dask worker", "nursery", "judge", "child")
_BELOW = {  # who is whose child, all forks of one program
    "coordinator": "nursery",
    "worker": "nursery",
    "Dask worker": "nursery",
    "nursery": "judge",
    "judge": "spawner",
    "spawner": "between",
    "between": "child",
}
NOBODY = "(it gave up by itself)"
_LOOK = 0.03  # seconds between two looks at the processes
_PATIENCE = 900.0  # seconds in which nothing happens at all: it hangs
_END = 120.0  # seconds in which a process that has to end may end
_MOST_ENDS = 10  # ends of the command by itself, without success, in one round
_SUBREAPER = 36
_KEPT = ("state", "reason", "scores", "cells", "restored", "seed", "sandbox", "executed")
# Safe path: the course's folder holds a package of the same name.
_TITO = (sys.executable, "-P", "-m", "tinytorch.course.cli")
_DASK = """\
import sys
from distributed import LocalCluster
kind = dict(processes=True, threads_per_worker=int(sys.argv[1]), dashboard_address=None)
with LocalCluster(n_workers=2, **kind) as cluster:
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


# The class

KINDS = {
    "right": "return {value}",
    "slow": "return {value} + 0 * sum(range(4_000_000))",
    "wrong": "return {value} + 1",
    "raising": "raise ValueError('no idea')",
    "unanswered": None,
    "noisy": "print('working')\n    return {value}",
    "leaving": "import os\n    os._exit(3)",
    # Its own doing, which looks as if it came from outside.
    "killing": "import os\n    os.getuid() == 65534 and os.kill(os.getpid(), 9)",
}
PAIRS = tuple(product(KINDS, KINDS))


def make_course(repo: Path, root: Path, gradebook: Path) -> Project:
    """The lesson of class_courses.pair_lesson, released."""
    project = make_pair_course(repo, root, gradebook)
    build(project)
    generate(project, A)
    return project


def write_class(project: Project, pairs: Sequence[tuple[str, str]]) -> None:
    """Hand in for one student a pair: how `one` and `two` are answered; the last is no notebook."""
    for number, kinds in enumerate(pairs):
        answers = {"answer_why": f"Because of {number}."} if number % 3 else {}
        for value, name, kind in zip((1, 2), ("one", "two"), kinds, strict=True):
            if body := KINDS[kind]:
                answers[name] = f"def {name}():\n    {body.format(value=value)}"
        hand_in(project, A, f"student{number:02}", answers, base="stubs")
    (project.submitted / "student99" / A).mkdir(parents=True)
    (project.submitted / "student99" / A / f"{NB}.ipynb").write_text("{")


def drawn_class(students: int, chance: random.Random) -> list[tuple[str, str]]:
    """Answers of a class: every pair of kinds about equally often."""
    pairs = [PAIRS[number % len(PAIRS)] for number in range(students - 1)]
    chance.shuffle(pairs)
    return pairs


# Processes


@dataclass(frozen=True)
class Process:
    """A process; `began` tells it from a later one with the same number."""

    pid: int
    began: int
    parent: int = field(compare=False)
    name: str = field(compare=False)
    words: str = field(compare=False)
    role: str = field(compare=False, default="")


def _process(pid: int) -> Process | None:
    """None for one that has ended, waited for or not."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return None
    state, parent, *fields = rest.split()
    return None if state in "ZX" else Process(pid, int(fields[17]), int(parent), name, words)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


class Family:
    """The processes below this one, but for those that were there before."""

    def __init__(self) -> None:
        self.strangers = set(_children(os.getpid()))
        self.roots: dict[int, str] = {}  # roles of the processes that were started here

    def __enter__(self) -> "Family":
        _control(_SUBREAPER, 1)
        return self

    def __exit__(self, *_: object) -> None:
        self.living()
        _control(_SUBREAPER, 0)

    def living(self) -> list[Process]:
        """All of them, each after its parent, with its role where it has one."""
        found: dict[int, Process] = {}
        todo = deque(pid for pid in _children(os.getpid()) if pid not in self.strangers)
        while todo:
            pid = todo.popleft()
            process = _process(pid)
            if process is None:
                if pid not in self.roots and pid not in found:
                    with contextlib.suppress(OSError):  # an orphan, that is our child now
                        os.waitpid(pid, os.WNOHANG)
                continue
            above = found[process.parent].role if process.parent in found else ""
            role = self.roots.get(pid) or _role(process, above)
            found[pid] = Process(**(vars(process) | {"role": role}))
            todo += _children(pid)
        return list(found.values())

    def left(self, but: str = "") -> list[Process]:
        """Those that do not end, though they are given time; `but`: not what is below that role."""
        until = time.monotonic() + _END
        while living := [p for p in self.living() if not self._is_below(p, but)]:
            if time.monotonic() > until:
                return living
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(living[0].pid)
                select.select([handle], [], [], 1.0)
                os.close(handle)
        return []

    def _is_below(self, process: Process, role: str) -> bool:
        pids = [pid for pid, name in self.roots.items() if name == role]
        above: Process | None = process
        while above is not None and above.pid != os.getpid():
            if above.pid in pids:
                return True
            above = _process(above.parent)
        return False


def _control(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _role(process: Process, above: str) -> str:
    if "spawn_main" in process.words:
        return {"coordinator": "worker", "cluster": "Dask worker"}.get(above, "")
    if process.name == "bwrap":
        return "sandbox" if above in ("spawner", "sandbox") else ""
    return _BELOW.get(above, "") if "tinytorch.course.nursery" in process.words else ""


def kill(process: Process) -> bool:
    """Send SIGKILL to this very process; False if it has ended already."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(process.pid)
        try:
            if _process(process.pid) == process:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                return True
        finally:
            os.close(handle)
    return False


# Kills


@dataclass(frozen=True)
class Kill:
    """Whom, and when: after so many events (a process begins, a record is there) and looks."""

    role: str
    events: int = 0
    looks: int = 0


def drawn_kills(number: int, roles: Sequence[str], chance: random.Random) -> list[Kill]:
    """Kills at random moments, of every role about equally often."""
    chosen = [roles[n % len(roles)] for n in range(number)]
    chance.shuffle(chosen)
    # Half of them as soon as there is somebody to kill, half of them later.
    return [
        Kill(role, chance.randrange(1, 30), chance.choice((0, chance.randrange(200))))
        for role in chosen
    ]


@dataclass
class Outcome:
    """What became of a class: kills and restarts by role, and all that is not as it should be."""

    kills: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


class Fire:
    """Grades one class, and kills: gives the command until it ends by itself with success."""

    def __init__(
        self, project: Project, kills: deque[Kill], chance: random.Random, family: Family
    ) -> None:
        self.project, self.kills, self.chance, self.family = project, kills, chance, family
        self.records = Records(project, A)
        self.outcome = Outcome()
        self.stood: dict[str, str] = {}  # records that stood at a restart, and what they were
        self.seen: set[object] = set()
        self.nurseries: set[int] = set()
        self.events = self.looks = 0  # since the last kill

    def run(self, *words: str) -> Outcome:
        """Grade with these options of `tito grade`; kills that are due happen."""
        cluster = "cluster" if "--scheduler" in words else ""
        while code := self._command(words, cluster):
            self.outcome.restarts["coordinator" if code == -signal.SIGKILL else NOBODY] += 1
            if self.outcome.restarts[NOBODY] > _MOST_ENDS:
                self._fault("the command does not succeed, although it ends by itself")
                break
        self.outcome.faults += [
            f"half of a file: {path.name}" for path in self.project.autograded.rglob("*.half")
        ]
        return self.outcome

    def _command(self, words: Sequence[str], cluster: str) -> int:
        """Give the command once, and look at what it leaves; its exit code."""
        path = self.project.root / "tito.log"
        with path.open("w") as log:
            process = subprocess.Popen(
                [*_TITO, "--root", str(self.project.root), "grade", A, *words],
                cwd=self.project.root.parent,
                stdout=log,
                stderr=log,
                env=environment(self.project),
            )
        self.family.roots[process.pid] = "coordinator"
        quiet = time.monotonic()
        while process.poll() is None:
            if self._look():
                quiet = time.monotonic()
            if time.monotonic() - quiet > _PATIENCE:
                self._fault(f"nothing happens: {self.family.living()}")
                process.terminate()
            time.sleep(_LOOK / 20 if self._is_due() else _LOOK)
        del self.family.roots[process.pid]
        if process.returncode not in (0, -signal.SIGKILL):
            self.outcome.log.append(f"exit {process.returncode}: {path.read_text()[-1500:]}")
        for left in self.family.left(cluster):
            self._fault(f"left over: {left.pid} {left.name} {left.words[:100]}")
            kill(left)
        self._look_at_records()
        return process.returncode

    def _look(self) -> bool:
        """Kill somebody if it is time; whether anything has happened."""
        living = self.family.living()
        self.nurseries |= {process.pid for process in living if process.role == "nursery"}
        new = {*living, *self.records.folder.glob("*.json")} - self.seen
        self.seen |= new
        self.events += len(new)
        if not self._is_due():
            return bool(new)
        self.looks += 1
        targets = [process for process in living if process.role == self.kills[0].role]
        if self.looks > self.kills[0].looks and targets:
            target = self.chance.choice(targets)
            if kill(target):
                self.outcome.kills[target.role] += 1
                self.outcome.log.append(f"{target.role} {target.pid} after {self.events} events")
                self.kills.popleft()
                self.events = self.looks = 0
        return bool(new)

    def _is_due(self) -> bool:
        """Whether a kill waits for somebody to be there: some of them live for milliseconds."""
        return bool(self.kills) and self.events >= self.kills[0].events

    def _look_at_records(self) -> None:
        """While nobody writes: every record is whole, and what stood before is what it was."""
        now = {}
        for path in sorted(self.records.folder.glob("*.json")):
            record = self.records.read(path.stem)
            if record is None:
                self._fault(f"the record of {path.stem} is not whole")
            elif record["state"] != "infrastructure":
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                now[path.stem] = f"{path.stat().st_mtime_ns} {digest}"
        again = [student for student, former in self.stood.items() if now.get(student) != former]
        if again:
            self._fault(f"graded again, or lost: {', '.join(again)}")
        self.stood = now

    def _fault(self, what: str) -> None:
        self.outcome.faults.append(what)


def environment(project: Project) -> dict[str, str]:
    """Of a command: this repository's modules, and a folder for temporary files of its own."""
    repo = Path(__file__).resolve().parents[1]
    return os.environ | {"PYTHONPATH": str(repo), "TMPDIR": str(room_of(project))}


def room_of(project: Project) -> Path:
    """The folder for temporary files of a course's commands."""
    room = project.root.parent / f"{project.root.name}.tmp"
    room.mkdir(exist_ok=True)
    return room


@contextlib.contextmanager
def dask_cluster(family: Family, project: Project, threads: int = 1) -> Iterator[str]:
    """A scheduler and two workers, in a process of their own; yields the address."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _DASK, str(threads)],
        cwd=project.root.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(project),
        text=True,
    )
    family.roots[process.pid] = "cluster"
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.communicate()
        del family.roots[process.pid]


# What is compared


def copied(template: Project, root: Path) -> Project:
    """A class of its own to grade, not graded yet."""
    shutil.copytree(template.root, root)
    return Project(root)


def verdicts(project: Project) -> dict[str, dict[str, object]]:
    """What each record says, but for times."""
    kept = Records(project, A)
    found = {}
    for head in kept.heads():
        record = kept.read(head["student"]) or {}
        found[head["student"]] = {name: record.get(name) for name in _KEPT}
    return found


def seed_of(project: Project) -> int:
    """The one seed of everybody's grade."""
    seeds = {head["seed"] for head in Records(project, A).heads()}
    assert len(seeds) == 1, f"graded with several seeds: {sorted(seeds)}"
    return seeds.pop()


def differences(project: Project, undisturbed: Project) -> list[str]:
    """How a class's grades differ from those of a run that nothing happened to."""
    found = []
    mine, theirs = verdicts(project), verdicts(undisturbed)
    handed_in = {path.parent.name for path in project.submitted.glob(f"*/{A}")}
    for student in sorted(handed_in - set(mine)):
        found.append(f"{student} is lost")
    for student in sorted(set(mine) & set(theirs)):
        for name in _KEPT:
            if mine[student][name] != theirs[student][name]:
                said = (json.dumps(of[student][name])[:400] for of in (mine, theirs))
                found.append("{}'s {}: {} and undisturbed {}".format(student, name, *said))
    gained = set(rows(project)) ^ set(rows(undisturbed))
    found += [f"a row of one gradebook only: {row}" for row in sorted(gained)[:20]]
    return found
