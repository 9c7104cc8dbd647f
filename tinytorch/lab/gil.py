"""Who runs when: Python and NumPy workers in one pool, and the lock that only one can hold.

Every step of work notes when it began and ended, on which thread, and how long that thread was on a
core: the rest of the step it waited. Drawn by gil_plots.
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tinytorch.lab.machine import cores
from tinytorch.lab.rungs import find

_JOB = 0.08  # seconds that a worker's job takes alone
_BLINK = 1e-4  # seconds between two steps that are no wait
_PYTHON_STEP, _NUMPY_STEP = 0.0004, 0.02  # seconds, about
_PAIRS = (("Python", "Python"), ("Python", "NumPy"), ("NumPy", "NumPy"))


class Step(NamedTuple):
    """One step: on which thread, when it began and ended, and how long it ran (seconds)."""

    thread: int
    start: float
    end: float
    ran: float


class Worker(NamedTuple):
    """One job. kind: "Python" or "NumPy"."""

    kind: str
    steps: list[Step]

    def running(self) -> list[tuple[float, float]]:
        """When it ran, as (start, end) in order; what is left of its time it waited.

        A Python step waits before it gets on, NumPy's call at its end, when it takes the lock
        again. A step that ran for nine tenths of its time counts as running throughout.
        """
        spans: list[tuple[float, float]] = []
        for _, start, end, ran in self.steps:
            if ran < 0.9 * (end - start):
                if self.kind == "Python":
                    start = end - ran
                else:
                    end = start + ran
            if spans and start - spans[-1][1] < _BLINK:
                spans[-1] = spans[-1][0], end
            else:
                spans.append((start, end))
        return spans


class Pair(NamedTuple):
    """Two workers at the same time, and when the first of them began (seconds)."""

    workers: list[Worker]
    begin: float

    @property
    def seconds(self) -> float:
        """From the first step's start to the last one's end."""
        return max(w.steps[-1].end for w in self.workers) - self.begin

    @property
    def together(self) -> float:
        """The share of the time in which both had something to do that both ran, 0 to 1."""
        spans = [w.running() for w in self.workers]
        both_busy = min(s[-1][1] for s in spans) - max(s[0][0] for s in spans)
        if both_busy <= 0:
            return 0.0
        shared = sum(
            max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a in spans[0] for b in spans[1]
        )
        return shared / both_busy


class Lock(NamedTuple):
    """The pairs that were watched, and what is to be said besides."""

    pairs: list[Pair]
    notes: list[str]


def _python_step(count: int) -> int:
    total = 0
    for i in range(count):
        total += i * i
    return total


def _timed(step: Callable[[], Any], count: int) -> list[Step]:
    """The steps of one job, one after the other."""
    done = []
    for _ in range(count):
        ran, start = time.thread_time(), time.perf_counter()
        step()
        end = time.perf_counter()
        done.append(Step(threading.get_ident(), start, end, time.thread_time() - ran))
    return done


def _alone(step: Callable[[], Any]) -> float:
    return min(end - start for _, start, end, _ in _timed(step, 9))


def _coarse(steps: Sequence[Step], alone: float) -> list[Step]:
    """The steps of a system whose clock of threads is coarser than they are (Windows)."""
    return [step._replace(ran=min(alone, step.end - step.start)) for step in steps]


def _work() -> dict[str, tuple[Callable[[], Callable[[], Any]], int, float]]:
    """By kind: what makes a step, how many make a job, and the seconds that a step takes alone."""
    count, size = 10_000, 200_000
    count = max(100, round(count * _PYTHON_STEP / _alone(partial(_python_step, count))))

    def numpy_step(size: int) -> Callable[[], Any]:
        numbers = np.linspace(-1, 1, size)
        return partial(np.sin, numbers, out=numbers.copy())  # no new memory: it would wait as well

    size = round(size * _NUMPY_STEP / _alone(numpy_step(size)))
    size = min(max(1_000, size), 2**23)
    steps: dict[str, Callable[[], Callable[[], Any]]] = {
        "Python": lambda: partial(_python_step, count),
        "NumPy": lambda: numpy_step(size),
    }
    alone = {kind: _alone(make()) for kind, make in steps.items()}
    return {kind: (steps[kind], max(2, round(_JOB / alone[kind])), alone[kind]) for kind in steps}


def watch_lock(kernels: Any = None) -> Lock:
    """Two Python workers, a Python worker beside a NumPy worker, and two NumPy workers.

    kernels: a dict such as `globals()`, a module or a namespace; its `parallel_batch_processing`
    runs the workers. Where that is missing or fails, a ThreadPoolExecutor does, and the notes say
    so.
    """
    work, pairs, notes = _work(), [], []
    try:
        pool = find(kernels, "parallel_batch_processing")
        if [len(steps) for steps in pool([2, 3], partial(_timed, int), num_workers=2)] != [2, 3]:
            raise ValueError("its results are wrong")
    except Exception as error:
        notes.append(f"parallel_batch_processing: {error}; a ThreadPoolExecutor ran the workers.")
        pool = _plain_pool
    coarse = time.get_clock_info("thread_time").resolution > _PYTHON_STEP / 10
    for kinds in _PAIRS:
        jobs = [(work[kind][0](), work[kind][1]) for kind in kinds]
        done = pool(jobs, lambda job: _timed(*job), num_workers=2)
        workers = [Worker(kind, _coarse(steps, work[kind][2]) if coarse else steps)
                   for kind, steps in zip(kinds, done, strict=True)]  # fmt: skip
        pairs.append(Pair(workers, min(w.steps[0].start for w in workers)))
    if len({step.thread for worker in pairs[0].workers for step in worker.steps}) < 2:
        notes.append("Both workers ran on the same thread, one after the other.")
    if cores() == 1:
        notes.append("One core: NumPy's workers take turns too, but on the core, not for the lock.")
    if not has_lock():
        notes.append("This Python has no global lock: Python's workers run side by side as well.")
    return Lock(pairs, notes)


def _plain_pool(items: Sequence[Any], operation: Callable[[Any], Any], num_workers: int) -> Any:
    with ThreadPoolExecutor(num_workers) as pool:
        return list(pool.map(operation, items))


def longest_turn(worker: Worker) -> float:
    """Seconds that a worker ran without a wait, at most."""
    return max(end - start for start, end in worker.running())


def longest_wait(worker: Worker) -> float:
    """Seconds that a worker waited between two spans, at most; 0.0 where it never did."""
    return max((b[0] - a[1] for a, b in pairwise(worker.running())), default=0.0)


def conclusion(lock: Lock) -> str:
    """How much of the time both workers ran, pair by pair."""
    text = []
    for pair in lock.pairs:
        first, second = (worker.kind for worker in pair.workers)
        who = f"Two {first} workers" if first == second else f"{first} beside {second}"
        line = f"{who}: both ran for {pair.together:.0%} of the time"
        waits = max(longest_wait(worker) for worker in pair.workers)
        if waits > 0.001 and pair.together < 0.9:
            line += f", and one waited up to {waits * 1e3:.0f} ms for its turn"
        text.append(f"{line}.")
    last = lock.pairs[-1] if lock.pairs else None
    if last and {w.kind for w in last.workers} == {"NumPy"} and last.together < 0.7:
        text.append(
            "NumPy computes without the lock: what its two workers waited for is a free core."
        )
    return "\n".join([" ".join(text), *lock.notes])


def has_lock() -> bool:
    """Whether Python has its global interpreter lock: False in a free-threaded build."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()
