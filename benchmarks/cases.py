"""What is measured: each case checks its result first, then names two calls to time in turns."""

import statistics
import time
import timeit
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tinytorch.core.kernels import SimpleProfiler, parallel_relu, quantized_matmul
from tinytorch.lab.measure import race


class Case(NamedTuple):
    """ratios: one entry per round, the peer's time divided by the kernel's. asked: at least."""

    kernel: str
    peer: str
    asked: str
    ratios: Callable[[int], list[float]]


def _race_ratios(
    kernel: Callable[[], object], peer: Callable[[], object], rounds: int
) -> list[float]:
    times = race({"kernel": kernel, "peer": peer}, rounds=rounds)
    return [theirs / ours for ours, theirs in zip(times["kernel"], times["peer"], strict=True)]


def _parallel_relu(rounds: int) -> list[float]:
    x = np.random.default_rng(0).standard_normal(20_000_000, dtype=np.float32)
    np.testing.assert_array_equal(parallel_relu(x, num_workers=2).data, np.maximum(x, 0))
    return _race_ratios(lambda: parallel_relu(x, 2), lambda: np.maximum(x, 0), rounds)


def _exact(qa: np.ndarray, qb: np.ndarray) -> np.ndarray:
    """The exact product by float64 BLAS: NumPy's own int64 `@` took 7 s at N = 1024.

    Every product and sum is below 2**53, so float64 holds the exact integers.
    """
    return qa.astype(np.float64) @ qb.astype(np.float64)


def _quantized_matmul(rounds: int, from_float: bool) -> list[float]:
    rng = np.random.default_rng(1)
    n, scale = 1024, 0.03
    A, B = rng.standard_normal((2, n, n), dtype=np.float32)
    qa, qb = rng.integers(-128, 128, (2, n, n)).astype(np.int8)
    # Bit-exact against int64 in the first 64 rows, and against _exact everywhere.
    rows = qa[:64].astype(np.int64) @ qb.astype(np.int64)
    product = quantized_matmul(qa, qb).data
    np.testing.assert_array_equal(product[:64], rows.astype(np.float32))
    np.testing.assert_array_equal(product, _exact(qa, qb).astype(np.float32))
    if from_float:
        return _race_ratios(lambda: quantized_matmul(A, B, scale, scale), lambda: A @ B, rounds)
    return _race_ratios(lambda: quantized_matmul(qa, qb), lambda: A @ B, rounds)


def _profiler(rounds: int, seconds: float) -> list[float]:
    """SimpleProfiler's median of a busy loop of about `seconds`, and timeit's, in turns."""
    loops, work = 1, np.ones(256, np.float32)

    def kernel() -> None:
        for _ in range(loops):
            np.sqrt(work, out=work)

    while (once := min(timeit.repeat(kernel, number=1, repeat=5))) < seconds / 2:
        loops *= 2
    loops = max(1, round(loops * seconds / once))
    ratios = []
    for _ in range(rounds):
        ours = SimpleProfiler(repeats=101).profile(kernel)[1]["wall_time"]
        readings = timeit.repeat(kernel, number=1, repeat=101, timer=time.perf_counter)
        ratios.append(statistics.median(readings) / ours)
    return ratios


CASES = [
    Case("parallel_relu, 20,000,000, 2 workers", "np.maximum", "", _parallel_relu),
    Case(
        "quantized_matmul, 1024, int8 inputs",
        "float32 @",
        ">= 0.8",
        lambda rounds: _quantized_matmul(rounds, from_float=False),
    ),
    Case(
        "quantized_matmul, 1024, float inputs",
        "float32 @",
        ">= 0.8",
        lambda rounds: _quantized_matmul(rounds, from_float=True),
    ),
    Case(
        "SimpleProfiler, kernel of 2 ms",
        "timeit median",
        "0.95..1.05",
        lambda rounds: _profiler(rounds, 2e-3),
    ),
    Case(
        "SimpleProfiler, kernel of 20 us",
        "timeit median",
        "0.95..1.05",
        lambda rounds: _profiler(rounds, 20e-6),
    ),
]
