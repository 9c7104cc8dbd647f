"""What limits a class of 50,000 submissions on 100 workers? Measured small, then worked out.

    python benchmarks/class_simulation.py [--submissions 300] [--workers 100] [--of 50000]

A class of `--submissions` is graded by a task that takes no time: what is left is the coordinator's
own work (reading a hand-in, writing its record to disk, merging it). Then a class is simulated:
each worker takes `--seconds` a submission, the coordinator does its three things one at a time.
"""

import argparse
import heapq
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import Executor, Future
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

ASSIGNMENT = "11_kernels"
COURSE_FILES = ("nbgrader_config.py", "settings.ini", "pyproject.toml", "constraints.txt")


class AtOnce(Executor):
    """Runs a task where it is submitted; its time is told apart."""

    def submit(self, function, *arguments):
        future: Future = Future()
        future.set_result(function(*arguments))
        return future


def timed(spent, owner, name, label):
    """Add up the seconds spent in owner.name."""
    original = getattr(owner, name)

    def wrapped(*arguments, **options):
        started = time.perf_counter()
        try:
            return original(*arguments, **options)
        finally:
            spent[label] += time.perf_counter() - started

    setattr(owner, name, wrapped)


def course_of(folder):
    from tinytorch.course import compiled
    from tinytorch.course.build import build
    from tinytorch.course.project import Project
    from tinytorch.course.release import generate

    for name in COURSE_FILES:
        shutil.copyfile(ROOT / name, folder / name)
    for name in ("modules", "tinytorch"):
        shutil.copytree(ROOT / name, folder / name)
    project = Project(folder)
    compiled.share(Project(ROOT), project)
    build(project)
    generate(project, ASSIGNMENT)
    return project


def measure(submissions):
    """Return seconds per submission of each of the coordinator's parts, and of a second run."""
    from tinytorch.course import batch, dispatch
    from tinytorch.course.gradebook import Merger
    from tinytorch.course.hand_ins import HandIns
    from tinytorch.course.records import Records
    from tinytorch.course.report import report
    from tinytorch.course.submissions import hand_in

    spent = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder:
        project = course_of(Path(folder))
        first = hand_in(project, ASSIGNMENT, "s00000", {})
        for number in range(1, submissions):
            target = project.submitted / f"s{number:05}" / ASSIGNMENT
            shutil.copytree(first.parent, target)
        batch.check_reference = lambda *_, **__: None
        timed(spent, HandIns, "task", "read")
        timed(spent, Records, "write", "record")
        timed(spent, Merger, "merge", "merge")
        timed(spent, dispatch, "call", "task")
        workers = dispatch.Workers(AtOnce, 8)
        options = {"workers": workers, "function": "class_tasks:from_text"}
        started = time.perf_counter()
        outcomes = batch.grade(project, ASSIGNMENT, **options)
        assert {outcome.state for outcome in outcomes} == {"graded"}
        spent["all"] = time.perf_counter() - started
        parts = dict(spent)
        started = time.perf_counter()
        batch.grade(project, ASSIGNMENT, **options)
        parts["again"] = time.perf_counter() - started
        started = time.perf_counter()
        report(project, ASSIGNMENT)
        parts["report"] = time.perf_counter() - started
    return {name: seconds / submissions for name, seconds in parts.items()}


def simulate(count, workers, seconds, before, after):
    """Return the seconds for a class, and the share of them in which workers had work.

    One coordinator does one thing at a time: it fills what may be in flight, two tasks a worker
    (`before` each), then takes in what has come (`after` each).
    """
    now, sent, taken = 0.0, 0, 0
    free = [0.0] * workers
    ends: list[float] = []
    while taken < count:
        if sent < count and sent - taken < 2 * workers:
            now += before
            end = max(now, heapq.heappop(free)) + seconds
            heapq.heappush(free, end)
            heapq.heappush(ends, end)
            sent += 1
        else:
            now = max(now, heapq.heappop(ends)) + after
            taken += 1
    return now, count * seconds / (workers * now)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=300, help="measured on this computer")
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--of", type=int, default=50_000, help="submissions that are simulated")
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 3.0, 10.0, 30.0])
    asked = parser.parse_args()
    parts = measure(asked.submissions)
    print(f"the coordinator, milliseconds a submission ({asked.submissions} measured):")
    for name in ("read", "record", "merge", "again", "report"):
        print(f"  {name:8} {1000 * parts[name]:8.2f}")
    before, after = parts["read"], parts["record"] + parts["merge"]
    most = 1 / (before + after)
    print(f"it can feed {most:.0f} submissions a second, however many workers there are\n")
    print(f"{asked.of} submissions on {asked.workers} workers:")
    for seconds in asked.seconds:
        took, used = simulate(asked.of, asked.workers, seconds, before, after)
        wanted = asked.workers / seconds
        longest = max(("read", "record", "merge"), key=parts.__getitem__)
        limit = "the workers" if wanted < most else f"the coordinator, most of it: {longest}"
        print(
            f"  {seconds:5.1f} s each: {took / 60:7.1f} min, workers busy {100 * used:3.0f} %, "
            f"limited by {limit}"
        )


if __name__ == "__main__":
    main()
