"""How one reading is taken, and in which order. What is timed stands in `cases`."""

import gc
import os
import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import partial
from itertools import repeat

LONG = 0.2  # seconds; a call as long as this needs no warm-up before it
# Seconds of calls that are not timed, after a pause: Linux may wake two threads on one core while
# the other is idle, and needs some ms to part them. With one call, blocks of a layer at two threads
# took 3.3 or 7 ms a call; with these, 3.3.
WARM = 0.04


def settle(most: float = 0.5) -> None:
    """Wait until this process's idle threads have gone to sleep.

    Those of BLAS and OpenMP spin for up to 30 ms after a call, and would take the core from
    whoever is timed next: medians at two threads went from 0.5 to 0.9 by this pause.
    """
    end = time.perf_counter() + most
    while time.perf_counter() < end:
        used = time.process_time()
        time.sleep(0.01)
        if time.process_time() - used < 0.001:
            return


def calls_per_block(call: Callable[[], object], block: float) -> tuple[int, float]:
    """How many calls fill a block of about `block` seconds, at least one; seconds of a call."""
    call()  # the first one pays for compilation, caches and pages
    count = 1
    while (spent := _timed(call, count)) < block / 8:
        count *= 4
    return max(1, round(count * block / spent)), spent / count


def rounds_of(
    timed: Mapping[str, Callable[[], object]], rounds: int, block: float, pause: bool
) -> dict[str, list[float]]:
    """Seconds per call of every contestant, one entry a round, in turns.

    A turn: a pause, where asked for, and calls until the threads are warm; else one call; then a
    block of timed calls. The order rotates from round to round.
    """
    sized = {name: calls_per_block(call, block) for name, call in timed.items()}

    def block_of(name: str) -> float:
        count, once = sized[name]
        if pause:
            settle()
        end = time.perf_counter() + (WARM if pause else 0)
        while once < LONG:
            timed[name]()
            if time.perf_counter() >= end:
                break
        return _timed(timed[name], count) / count

    return in_turns({name: partial(block_of, name) for name in timed}, rounds)


def in_turns(readings: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """One reading of everybody a round; the order rotates, and the collector is off."""
    names = list(readings)
    found: dict[str, list[float]] = {name: [] for name in names}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                found[name].append(readings[name]())
    finally:
        if collecting:
            gc.enable()
    return found


def busy_seconds() -> float:
    """Processor time that the whole machine has used since its start; 0 where unknown."""
    try:
        with open("/proc/stat") as file:
            used = [int(number) for number in file.readline().split()[1:]]
    except OSError:
        return 0.0
    return (sum(used) - used[3] - used[4]) / os.sysconf("SC_CLK_TCK")  # without idle and waiting


def own_seconds() -> float:
    """Processor time of this process and of those that it started and waited for."""
    return sum(os.times()[:4])


def workspace(call: Callable[[], object], output: Callable[[object], int]) -> int:
    """Bytes that a call allocates at its highest point, beyond the output that it returns."""
    call()  # what is kept from the first call on is no workspace
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        result = call()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    return max(0, peak - output(result))


def _timed(call: Callable[[], object], count: int) -> float:
    """Seconds of `count` calls."""
    start = time.perf_counter()
    for _ in repeat(None, count):
        call()
    return time.perf_counter() - start
