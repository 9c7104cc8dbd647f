"""The table: which kernels race at which sizes, against whom, and what is asked and wanted.

Inputs and right results are made in `contests`, readings taken in `timing`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from benchmarks import contests
from benchmarks.contests import Contest


@dataclass(frozen=True)
class Goal:
    """At least, and wanted, against one peer; threads "one", "all" or "any" of the two."""

    against: str
    at_least: float | None = None
    wanted: float | None = None
    threads: str = "any"


@dataclass(frozen=True)
class Race:
    """One kernel at one size.

    x: the size as a number, for the picture. variant: tells races of one kernel apart. kind:
    "ratio" (at least), "within" (of 1), "us over" or "s over" (at most). work: floating-point
    operations or, under the roof "memory", bytes. quick: also part of a quick run.
    """

    kernel: str
    size: str
    x: float
    build: Callable[[int], Contest]
    goals: tuple[Goal, ...]
    variant: str = ""
    threads: str = "any"
    kind: str = "ratio"
    work: float = 0
    roof: str = ""
    quick: bool = True

    def goals_at(self, threads: int) -> list[Goal]:
        """One goal per peer: the one for this number of threads."""
        word = "one" if threads == 1 else "all"
        if self.threads not in ("any", word):
            return []
        return [goal for goal in self.goals if goal.threads in ("any", word)]


NUMPY, TORCH = "np.maximum(x, 0)", "torch.relu"
SIZES = (16, 32, 64, 128, 256, 512, 1024, 2048)
INT8_SIZES = (64, 256, 1024, 2048)
SQUARE, ROW = (8, 8), (64,)


def _relu(name: str, n: int, *goals: Goal, quick: bool = False, threads: str = "any") -> Race:
    first, power = str(n)[0], len(str(n)) - 1
    size = f"10^{power}" if first == "1" else f"{first}x10^{power}"
    return Race(
        name, size, n, partial(contests.relu, name, n), goals,
        threads=threads, work=8 * n, roof="memory", quick=quick,
    )  # fmt: skip


def _product(name: str, n: int, *goals: Goal) -> Race:
    """Without a goal it races `@` all the same, but not in a quick run."""
    build = partial(contests.product, name, n)
    return Race(
        name, f"N = {n}", n, build, goals or (Goal("numpy @"),),
        work=2.0 * n**3, roof="arithmetic", quick=bool(goals),
    )  # fmt: skip


def _best_block(n: int, *goals: Goal) -> Race:
    race = _product("cache_friendly_matmul", n, *goals)
    return replace(race, build=partial(contests.best_block, n), threads="one")


def _fused(batch: int, k: int, n: int, at_least: float | None, wanted: float | None) -> Race:
    return Race(
        "fused_linear_relu", f"{batch}, {k} -> {n}", batch * k * n,
        partial(contests.fused, batch, k, n),
        (Goal("torch.relu(linear)", at_least, wanted), Goal("numpy")),
        work=2.0 * batch * k * n, roof="arithmetic", quick=at_least is not None,
    )  # fmt: skip


def _pruned(n: int, *goals: Goal) -> Race:
    peers = goals or (Goal("SciPy CSR"), Goal("dense numpy @"))
    build = partial(contests.pruned, n)
    return Race("sparse_matmul", f"64 by {n}^2", n, build, peers, "90 % pruned", quick=bool(goals))


def _quantized(name: str, inputs: str, *goals: Goal, sizes: tuple[int, ...]) -> Iterator[Race]:
    """Goals hold at N = 1024; their peers race at the other sizes too."""
    without = tuple(Goal(against) for against in dict.fromkeys(goal.against for goal in goals))
    for n in sizes:
        build = partial(contests.quantized, name, n, inputs == "float")
        yield Race(
            name, f"N = {n}", n, build, goals if n == 1024 else without, f"{inputs} inputs",
            work=2.0 * n**3, roof="arithmetic", quick=n == 1024,
        )  # fmt: skip


def _overhead(name: str, bare: Callable[..., Any], *shapes: tuple[int, ...]) -> Race:
    size = ", ".join("x".join(map(str, shape)) for shape in shapes)
    build = partial(contests.overhead, name, bare, shapes)
    return Race(name, size, 8, build, (Goal("bare arrays", 2.0),), threads="one", kind="us over")


def _matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a @ b


def _maximum(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def _linear_relu(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.maximum(x @ W + b, 0)


_BASELINE = {
    n: [Goal("numpy @", at_least, 1.0)] for n, at_least in ((64, 0.85), (256, 0.95), (1024, 0.98))
}
_COMPILED = (Goal("numpy @", 0.7, 0.9, "one"), Goal("numpy @", 0.65, 0.9, "all"))
_INT8 = [
    (Goal(peer, at_least, wanted, "one"), Goal(peer, threads="all"))
    for peer, at_least, wanted in (
        ("float32 @", 1.2, 2.0),
        ("torch fbgemm", 0.6, 1.0),
        ("ONNX MatMulInteger", 0.6, 1.0),
    )
]

RACES: list[Race] = [
    *(_product("matmul_baseline", n, *_BASELINE.get(n, ())) for n in SIZES),
    # NumPy's elementwise loops use one thread, whatever is allowed.
    *(_relu("vectorized_relu", 10**e, Goal(NUMPY), threads="one") for e in (3, 4)),
    *(
        _relu("vectorized_relu", 10**e, Goal(NUMPY, 1.0, 1.0), quick=True, threads="one")
        for e in (5, 6)
    ),
    _relu("vectorized_relu", 10**7, Goal(NUMPY), threads="one"),
    *(
        _relu("compiled_relu", n, Goal(TORCH, 1.0, 1.5), Goal(NUMPY), quick=n not in (10**4, 10**7))
        for n in (10**3, 10**4, 10**5, 10**6, 10**7, 2 * 10**7)
    ),
    *(_relu("parallel_relu", 10**e, Goal(TORCH), Goal(NUMPY), threads="all") for e in (5, 6, 7)),
    _relu(
        "parallel_relu", 2 * 10**7, Goal(TORCH, 1.5, 4.0), Goal(NUMPY), quick=True, threads="all"
    ),
    *(_best_block(n, *[Goal("numpy @", 0.5, 0.8)] * (n == 1024)) for n in (128, 256, 512, 1024)),
    _best_block(2048),
    *(
        _product("compiled_matmul", n, *_COMPILED * (n in (256, 1024, 2048)))
        for n in SIZES
    ),
    _fused(256, 64, 64, None, None),
    _fused(256, 256, 256, None, None),
    _fused(256, 1024, 1024, 0.8, 1.2),
    _fused(256, 64, 10**5, 0.8, 1.2),
    _pruned(256),
    _pruned(1024, Goal("SciPy CSR", 1.0, 2.0), Goal("dense numpy @", 1.0, 3.0)),
    _pruned(2048),
    *_quantized("quantized_matmul", "float", Goal("float32 @", 0.8, 1.0), sizes=INT8_SIZES),
    *_quantized("quantized_matmul", "int8", Goal("float32 @", 0.9, 1.0), sizes=INT8_SIZES),
    *_quantized("compiled_quantized_matmul", "int8", *chain(*_INT8), sizes=INT8_SIZES),
    *_quantized("compiled_quantized_matmul", "float", Goal("float32 @"), sizes=INT8_SIZES),
    *(
        Race(
            "SimpleProfiler",
            size,
            seconds,
            partial(contests.profiler, seconds),
            (Goal("timeit median", 0.05, 0.02), Goal("torch benchmark", 0.05, 0.02)),
            threads="one",
            kind="within",
        )
        for size, seconds in (("20 us", 20e-6), ("2 ms", 2e-3))
    ),
    Race(
        "import tinytorch.core.kernels",
        "second start",
        1,
        contests.imports,
        (Goal("import numba", 0.2, 0.1),),
        threads="one",
        kind="s over",
    ),
    _overhead("matmul_baseline", _matmul, SQUARE, SQUARE),
    _overhead("vectorized_relu", _maximum, ROW),
    _overhead("vectorized_operations", contests.three, ROW, ROW),
    _overhead("cache_friendly_matmul", _matmul, SQUARE, SQUARE),
    _overhead("parallel_relu", _maximum, ROW),
    _overhead("compiled_relu", _maximum, ROW),
    _overhead("compiled_matmul", _matmul, SQUARE, SQUARE),
    _overhead("fused_linear_relu", _linear_relu, SQUARE, SQUARE, (8,)),
    # In no row of the table, and raced because every kernel is.
    Race("vectorized_operations", "10^6", 10**6, partial(contests.elementwise, 10**6),
         (Goal("numpy"),), threads="one", quick=False),
    Race("quantized_relu", "10^6", 10**6, partial(contests.quantized_relu, 10**6),
         (Goal("numpy"),), threads="one", quick=False),
    Race("parallel_batch_processing", "8 sorts of 2x10^5", 8, contests.batches,
         (Goal("a Python loop"),), threads="all", quick=False),
]  # fmt: skip
