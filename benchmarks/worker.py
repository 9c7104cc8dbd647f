"""One process of the race: a fixed number of threads, one case after the other.

Started by `python -m benchmarks`, which has set the threads in the environment. Prints one JSON
object a line: {"settings": ...}, {"peaks": ...}, {"row": ...} or {"memory": ...}, and last
{"others": cores that the rest of the machine used meanwhile}.
"""

import argparse
import importlib
import json
import os
import re
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import peers
from benchmarks.cases import RACES, Goal, Race
from benchmarks.contests import Contest, kernel, verify
from benchmarks.timing import busy_seconds, in_turns, own_seconds, rounds_of, workspace

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
MISSING = "peer not installed: pip install 'tinytorch-kernels[bench]'"
MOST = 64 * 2**20  # bytes of workspace that no kernel may exceed
_PROMISE = re.compile(r"workspace[^.]*?([\d.]+) (KiB|MiB)", re.IGNORECASE | re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--block", type=float, required=True, help="seconds of a timed block")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", help="a part of the kernel's name")
    parser.add_argument("--memory", action="store_true", help="measure workspace, and no time")
    options = parser.parse_args()
    chosen = [r for r in RACES if options.only in r.kernel and (r.quick or not options.quick)]
    if options.memory:
        peers.forget()
        for race in chosen:
            for entry in memory_of(race, options.threads):
                _emit({"memory": entry})
        return
    _emit({"settings": settings(options.threads)})
    start = time.perf_counter(), busy_seconds() - own_seconds()
    _emit({"peaks": peaks(options.threads, 3 if options.quick else 9)})
    for race in chosen:
        for row in rows_of(race, options.threads, options.rounds, options.block):
            _emit({"row": row})
    passed, others = time.perf_counter() - start[0], busy_seconds() - own_seconds() - start[1]
    _emit({"others": max(0.0, others / passed)})


def settings(threads: int) -> dict[str, Any]:
    """The threads that are really in force, as far as the libraries tell."""
    found: dict[str, Any] = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    if torch := peers.find("torch"):
        torch.set_num_threads(threads)
        found["torch"] = torch.get_num_threads()
    if inspect := peers.find("threadpoolctl"):
        importlib.import_module("numpy")
        pools = inspect.threadpool_info()
        found |= {pool["internal_api"]: pool["num_threads"] for pool in pools}
    return found


def peaks(threads: int, readings: int) -> dict[str, list[float]]:
    """Readings of this machine's arithmetic (float32 GFLOP/s) and memory (GB/s)."""
    from tinytorch.lab.machine import arithmetic_peak, memory_bandwidth

    return {
        "arithmetic": arithmetic_peak(threads, readings),
        "memory": memory_bandwidth(threads, readings),
    }


def rows_of(race: Race, threads: int, rounds: int, block: float) -> Iterator[dict[str, Any]]:
    """One row per peer; one with a note and without readings where there was no race."""
    goals = race.goals_at(threads)
    if not goals:
        return
    try:
        contest = race.build(threads)
        verify(contest)
        # Peers that nobody asks about at this number of threads do not race.
        named = {goal.against: contest.peers.get(goal.against) for goal in goals}
        times = _times(contest, {n: call for n, call in named.items() if call}, rounds, block,
                       pause=threads > 1)  # fmt: skip
    except Exception as error:  # a case that fails must not end the race of the others
        for goal in goals:
            yield _row(race, goal, threads) | {"failed": f"{type(error).__name__}: {error}"}
        return
    for goal in goals:
        row = _row(race, goal, threads)
        if named[goal.against] is None:
            yield row | {"note": MISSING}
        else:
            read = {"ours": times["ours"], "peer": times[goal.against]}
            yield row | read | {"note": contest.note}


def memory_of(race: Race, threads: int) -> Iterator[dict[str, Any]]:
    """The workspace of a kernel beside its bound: its docstring's own, or 64 MiB."""
    if race.kind != "ratio" or not race.goals_at(threads):
        return
    entry: dict[str, Any] = {
        "kernel": race.kernel,
        "size": race.size,
        "variant": race.variant,
        "threads": threads,
    }
    try:
        contest = race.build(threads)
        entry["workspace"] = workspace(contest.ours, lambda out: peers.as_numpy(out).nbytes)
        entry["bound"] = stated_bound(kernel(race.kernel).__doc__ or "")
    except Exception as error:
        entry["failed"] = f"{type(error).__name__}: {error}"
    yield entry


def stated_bound(docstring: str) -> int:
    """Bytes that a docstring promises ("workspace ... 3 MiB"); 64 MiB where it names none."""
    promise = _PROMISE.search(docstring)
    if promise is None:
        return MOST
    return round(float(promise[1]) * {"KiB": 2**10, "MiB": 2**20}[promise[2]])


def _times(
    contest: Contest, named: dict[str, Any], rounds: int, block: float, pause: bool
) -> dict[str, list[float]]:
    contestants = {"ours": contest.ours, **named}
    if contest.readings:
        return in_turns(contestants, rounds)
    return rounds_of(contestants, rounds, block, pause)


def _row(race: Race, goal: Goal, threads: int) -> dict[str, Any]:
    return {
        "kernel": race.kernel,
        "size": race.size,
        "variant": race.variant,
        "x": race.x,
        "threads": threads,
        "against": goal.against,
        "kind": race.kind,
        "asked": goal.at_least,
        "wanted": goal.wanted,
        "roof": race.roof,
        "work": race.work,
        "ours": [],
        "peer": [],
        "note": "",
    }


def _emit(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
