"""Whether the lab's peaks are true: `python -m benchmarks.machine`.

The arithmetic peak beside the best float32 `@` (asked: within 10 %), the bandwidth beside the best
other triad over arrays of the same size (asked: within 15 %): one in C where a compiler is found,
numexpr's where that is installed, else NumPy's two passes. One process for each number of threads;
in turns within it. Exit 1 beyond the bounds.
"""

import argparse
import ctypes
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.__main__ import environment
from benchmarks.peers import find
from benchmarks.timing import busy_seconds, in_turns, own_seconds, settle
from tinytorch.lab.facts import cores
from tinytorch.lab.peaks import arithmetic_reader, memory_reader, triad_size

ROUNDS = 25
SIZES = (512, 768, 1024, 1536, 2048)  # of the products
ASKED = {"arithmetic": 0.10, "memory": 0.15}
UNITS = {"arithmetic": "GFLOP/s", "memory": "GB/s"}
_C = """
void triad(float *restrict a, const float *restrict b, const float *restrict c, long n) {
    for (long i = 0; i < n; i++) a[i] = b[i] + 3.0f * c[i];
}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)  # a process of one number
    options = parser.parse_args()
    if options.threads:
        print(json.dumps(readings(options.threads, options.rounds)))
        return 0
    missed = 0
    for threads in sorted({1, cores()}):
        command = [sys.executable, "-m", "benchmarks.machine", "--threads", str(threads)]
        done = subprocess.run(
            [*command, "--rounds", str(options.rounds)],
            env=environment(threads), cwd=Path(__file__).parents[1], text=True,
            stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        found = json.loads(done.stdout.splitlines()[-1])
        word = ": busy, so read these figures with care" if found["others"] > 0.5 else ""
        used = f"others used {found['others']:.2f} cores{word}"
        print(f"{threads} thread{'s' * (threads > 1)}; {used}")
        for what, bound in ASKED.items():
            missed += not _told(what, found[what], bound)
    return 1 if missed else 0


def readings(threads: int, rounds: int) -> dict[str, Any]:
    """Both comparisons with that many threads: what -> contestant -> readings."""
    start = time.perf_counter(), busy_seconds() - own_seconds()
    found: dict[str, Any] = {}
    peak = arithmetic_reader(threads)
    if peak is not None:
        others = {f"`@` {size}": _product(size) for size in SIZES}
        found["arithmetic"] = _raced({"peak": peak, **others}, rounds)
    size = triad_size()
    triads = {"peak": memory_reader(threads, size), **_other_triads(threads, size)}
    found["memory"] = _raced(triads, rounds)
    passed = time.perf_counter() - start[0]
    found["others"] = max(0.0, (busy_seconds() - own_seconds() - start[1]) / passed)
    return found


def _raced(contestants: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The best of three readings of everybody in each round, after one that is not counted."""

    def after_a_pause(read: Callable[[], float]) -> float:
        settle()  # another's threads may still spin
        read()
        return max(read() for _ in range(3))

    return in_turns({name: partial(after_a_pause, read) for name, read in contestants.items()},
                    rounds)  # fmt: skip


def _told(what: str, found: dict[str, list[float]] | None, bound: float) -> bool:
    """Print one comparison; whether it is within its bound."""
    if found is None:
        print(f"  {what}: not measured, Numba compiles nothing here")
        return True
    for name, values in found.items():
        print(
            f"  {what:<11} {name:<12} {max(values):7.1f} {UNITS[what]}, "
            f"median {statistics.median(values):.1f}"
        )
    others = {name: max(values) for name, values in found.items() if name != "peak"}
    if not others:
        print(f"  {what}: nobody to compare with; a C compiler or numexpr would do")
        return True
    best = max(others, key=lambda name: others[name])
    ratio = max(found["peak"]) / others[best]
    fine = abs(ratio - 1) <= bound
    print(f"  {what:<11} peak / {best}: {ratio:.3f}, asked 1 within {bound:g}"
          f"{'' if fine else '  MISSED'}")  # fmt: skip
    return fine


def _product(size: int) -> Callable[[], float]:
    A, B = np.random.default_rng(0).standard_normal((2, size, size)).astype(np.float32)
    C = np.empty_like(A)
    times = max(1, 1024**3 // size**3)

    def read() -> float:
        start = time.perf_counter()
        for _ in range(times):
            np.matmul(A, B, out=C)
        return 2e-9 * times * size**3 / (time.perf_counter() - start)

    return read


def _other_triads(threads: int, size: int) -> dict[str, Callable[[], float]]:
    """Whoever makes A = B + 3 C here -> a function that takes a reading in GB/s."""
    A, B, C = (np.full(size, value, np.float32) for value in (0, 1, 2))
    found: dict[str, tuple[Callable[[], Any] | None, int]] = {
        "C": (_c_triad(threads, A, B, C), 12),
        "numexpr": (_numexpr_triad(threads, A, B, C), 12),
    }
    if threads == 1 and not any(run for run, _ in found.values()):
        # It writes A, then reads and writes it again.
        found["NumPy"] = lambda: np.add(B, np.multiply(C, np.float32(3), out=A), out=A), 20

    def reading(run: Callable[[], Any], each: int) -> float:
        start = time.perf_counter()
        run()
        return 1e-9 * each * size / (time.perf_counter() - start)

    readers: dict[str, Callable[[], float]] = {}
    for name, (run, each) in found.items():
        if run is not None:
            A.fill(0)
            run()
            assert A[0] == A[-1] == 7, f"{name} does not make the triad"
            readers[name] = partial(reading, run, each)
    return readers


def _numexpr_triad(
    threads: int, A: np.ndarray, B: np.ndarray, C: np.ndarray
) -> Callable[[], Any] | None:
    numexpr = find("numexpr")
    if numexpr is None:
        return None
    numexpr.set_num_threads(threads)
    return lambda: numexpr.evaluate("B + 3 * C", local_dict={"B": B, "C": C}, out=A)


def _c_triad(threads: int, A: np.ndarray, B: np.ndarray, C: np.ndarray) -> Callable[[], Any] | None:
    """STREAM's loop in C, each thread with a piece of its own."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "triad.c"), Path(folder, "triad.so")
        source.write_text(_C)
        flags = ["-O3", "-march=native", "-shared", "-fPIC"]
        try:
            subprocess.run([compiler, *flags, "-o", library, source], check=True)
            triad = ctypes.CDLL(str(library)).triad
        except (OSError, subprocess.CalledProcessError):
            return None
    cuts = [A.size * piece // threads for piece in range(threads + 1)]
    works = [
        [ctypes.c_void_p(x[start:end].ctypes.data) for x in (A, B, C)]
        + [ctypes.c_long(end - start)]
        for start, end in pairwise(cuts)
    ]
    pool = ThreadPoolExecutor(threads)

    def run(held: tuple[np.ndarray, ...] = (A, B, C)) -> None:  # pointers alone keep nothing alive
        list(pool.map(lambda work: triad(*work), works))

    return run


if __name__ == "__main__":
    sys.exit(main())
