"""Hands tasks to an executor and gets every one of them answered, whatever becomes of the workers.

A student's fault comes back as a record. What fails here is the infrastructure's: a task is tried
again a bounded number of times, in a fresh pool if the old one broke, and then reported as such.
"""

import importlib
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tinytorch.course import nurseries
from tinytorch.course.project import CourseError
from tinytorch.course.records import VERSION, Record, Task, fault_of
from tinytorch.lab.facts import cores

ATTEMPTS = 3  # at one task, where the infrastructure failed
PATIENCE = 3600.0  # seconds without any answer: the workers are taken for lost
CONNECT = "20s"  # to a scheduler
MOST_BREAKS = 30  # pools that broke one after the other without one answer: no task's doing


@dataclass(frozen=True)
class Workers:
    """Where tasks run: `start` makes an executor, `in_flight` bounds what waits there."""

    start: Callable[[], Executor]
    in_flight: int
    stop: Callable[[Executor], None] = lambda executor: executor.shutdown(cancel_futures=True)


def pool(count: int | None = None) -> Workers:
    """Return processes on this computer: `count`, or a few more than there are cores.

    Tests that look for threads wait for each other; meanwhile a core would have nothing to do.
    """
    import multiprocessing

    number = count or math.ceil(1.25 * cores())
    context = multiprocessing.get_context("spawn")  # a fork would carry this process's threads

    def start() -> Executor:
        # They share the one warm process that has been started for the reference.
        return ProcessPoolExecutor(
            number, mp_context=context, initializer=_begin, initargs=(nurseries.open_lines(),)
        )

    return Workers(start, 2 * number, _stop_pool)


def cluster(address: str) -> Workers:
    """Return a Dask cluster's workers; CourseError if there is no such cluster."""
    try:
        from distributed import Client
    except ImportError as error:
        raise CourseError(
            "A scheduler needs the package distributed: pip install 'tinytorch-kernels[cluster]'."
        ) from error
    clients: dict[int, Any] = {}

    def connect() -> Any:
        try:
            return Client(address, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise CourseError(
                f"No scheduler answers at {address} ({error}). What was graded is kept: start it, "
                "and give the same command again."
            ) from error

    def start() -> Executor:
        client = connect()
        executor = client.get_executor(pure=False)
        clients[id(executor)] = client
        return executor

    def stop(executor: Executor) -> None:
        with suppress(Exception):  # of a scheduler that is gone
            executor.shutdown(wait=False)
        clients.pop(id(executor)).close(timeout=5)

    with connect() as client:
        threads = sum(client.nthreads().values())
    if not threads:
        raise CourseError(f"The scheduler at {address} has no workers: start some.")
    return Workers(start, max(4, 2 * threads), stop)


def call(function: str, task: Task) -> Record:
    """Run `function` ("module:name") on a task; in the worker, which alone imports it."""
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)(task)


@dataclass
class _Try:
    """A task on its way: faults of its `own`, and those `common` to all in flight."""

    task: Task
    own: int = 0
    common: int = 0


def run(
    tasks: Iterable[Task],
    function: str,
    workers: Workers,
    attempts: int = ATTEMPTS,
    patience: float = PATIENCE,
) -> Generator[tuple[Task, Record], None, None]:
    """Yield every task with its record, in the order in which they come.

    `tasks` is read only as far as there is room. Which task broke a pool cannot be told if several
    were in flight; those that saw two breaks run alone at the end, and only then it counts.
    """
    work = _Work(iter(tasks), function, workers, patience)
    try:
        while work.fill():
            for attempt, record, reason in work.answers():
                if record is not None and record["state"] != "infrastructure":
                    yield attempt.task, record
                elif attempt.own >= attempts:
                    yield attempt.task, record or _given_up(attempt.task, reason)
                else:
                    work.queue_again(attempt)
        work.end()
    except BaseException:
        work.abandon()
        raise


class _Work:
    """What is waiting and what is in flight."""

    def __init__(
        self, tasks: Iterator[Task], function: str, workers: Workers, patience: float
    ) -> None:
        self.tasks, self.function, self.workers = tasks, function, workers
        self.patience = patience
        self.again: deque[_Try] = deque()
        self.alone: deque[_Try] = deque()
        self.flying: dict[Future[Record], _Try] = {}
        self.lost: list[_Try] = []
        self.executor: Executor | None = None
        self.breaks = 0

    def fill(self) -> bool:
        """Hand on as much as there is room for; False if nothing is left."""
        while len(self.flying) < self.workers.in_flight and not self.lost:
            attempt = self._next()
            if attempt is None:
                break
            self._submit(attempt)
        if not self.flying and not self.lost and self.alone:
            self._submit(self.alone.popleft())
        return bool(self.flying or self.lost)

    def _next(self) -> _Try | None:
        task = next(self.tasks, None)
        if task is not None:
            return _Try(task)
        return self.again.popleft() if self.again else None

    def _submit(self, attempt: _Try) -> None:
        self.executor = self.executor or self.workers.start()
        sent = {name: value for name, value in attempt.task.items() if name != "about"}
        try:
            self.flying[self.executor.submit(call, self.function, sent)] = attempt
        except (BrokenExecutor, RuntimeError):
            self.lost.append(attempt)

    def answers(self) -> Iterator[tuple[_Try, Record | None, str]]:
        """Wait for the next answers; of a broken pool, put what was in flight aside."""
        done = wait(self.flying, self.patience, FIRST_COMPLETED).done if self.flying else set()
        broken = bool(self.lost) or not done
        reason = "a worker process ended" if done or self.lost else "no worker answered"
        for future in done:
            attempt = self.flying.pop(future)
            try:
                record, fault = future.result(), ""
            except (BrokenExecutor, CancelledError) as error:
                broken, reason = True, f"a worker process ended ({error})"
                self.lost.append(attempt)
                continue
            except Exception as error:  # of the executor, or the function could not be imported
                record, fault = None, f"{type(error).__name__}: {str(error)[:300]}"
            fault = fault or fault_of(record, attempt.task)
            attempt.own += record is None or bool(fault) or record["state"] == "infrastructure"
            self.breaks = 0
            yield attempt, None if fault else record, fault
        if broken:
            yield from self._fresh(reason)

    def _fresh(self, reason: str) -> Iterator[tuple[_Try, None, str]]:
        lost, self.lost = [*self.lost, *self.flying.values()], []
        self.flying.clear()
        self.abandon()
        self.breaks += 1
        if self.breaks > MOST_BREAKS:
            raise CourseError(
                f"Grading stopped: {reason}, {self.breaks} times without one result in between. "
                "What was graded is kept. Run `tito doctor`, then give the same command again."
            )
        for attempt in lost:
            attempt.common += 1
            attempt.own += len(lost) == 1
            yield attempt, None, reason

    def queue_again(self, attempt: _Try) -> None:
        """Try a task once more; alone if it was there when two pools broke."""
        (self.alone if attempt.common > 1 else self.again).append(attempt)

    def end(self) -> None:
        """Let the workers go."""
        executor, self.executor = self.executor, None
        if executor is not None:
            self.workers.stop(executor)

    abandon = end


def _given_up(task: Task, reason: str) -> Record:
    return {
        "version": VERSION,
        "key": task["key"],
        "student": task["student"],
        "state": "infrastructure",
        "reason": reason,
        "executed": None,
        "seed": task["seed"],
        "restored": [],
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _stop_pool(executor: Executor) -> None:
    """End a pool at once: what is still in flight is nobody's any more."""
    processes = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()


def _begin(lines: list[nurseries.Line]) -> None:
    """Begin the life of a worker."""
    end_with_parent()
    nurseries.use(lines)


def end_with_parent() -> None:
    """End this worker when its coordinator is killed; else it would wait for tasks forever."""
    import multiprocessing
    from multiprocessing.connection import wait as ready

    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            ready([parent.sentinel])
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()
