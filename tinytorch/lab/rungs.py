"""The reader's kernels, and the loops they began with, as contestants that can be measured.

Each is checked against NumPy before it is timed, and each is measured at the largest size that it
can do in a fair time. What is missing, wrong or breaks is left out with a sentence. Nothing is
judged here (see roofline) and nothing is drawn.
"""

import gc
import inspect
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinytorch.core.compression import to_sparse
from tinytorch.lab.byte_model import (
    Work,
    int8_product_work,
    int8_relu_work,
    list_product_work,
    list_relu_work,
    product_work,
    relu_work,
    sparse_work,
)
from tinytorch.lab.facts import blas_threads
from tinytorch.lab.machine import caches, cores, describe
from tinytorch.lab.measure import race

Call = Callable[[], Any]

_PATIENCE = 0.25  # seconds that one call may take before a contestant keeps to a smaller size
# A short call finds a quiet moment on a busy machine: 512 is a few milliseconds for a fast kernel.
_PRODUCT_SIZES = (64, 128, 256, 512)
_LOOP_SIZES = (16, 32, 64)
_KEPT = 0.1  # of the weights of the sparse product


class Rung(NamedTuple):
    """One contestant. prepare(size): the call to time and its right result. work(size): one call.

    sizes: that it may be measured at, ascending. threads: that it may use.
    """

    name: str
    sizes: Sequence[int]
    prepare: Callable[[int], tuple[Call, np.ndarray]]
    work: Callable[[int], Work]
    threads: int = 1


class Reading(NamedTuple):
    """One contestant, measured. seconds: per call, one entry per round."""

    name: str
    size: int
    work: Work
    threads: int
    seconds: list[float]

    @property
    def speed(self) -> float:
        """Operations per second, by the median."""
        return self.work.operations / statistics.median(self.seconds)

    @property
    def best_speed(self) -> float:
        """Operations per second, by the fastest round."""
        return self.work.operations / min(self.seconds)


def python_loops(A: list[list[float]], B: list[list[float]]) -> list[list[float]]:
    """A @ B by row and column: i-j-k."""
    columns = range(len(B[0]))
    C = [[0.0] * len(B[0]) for _ in A]
    for i in range(len(A)):
        for j in columns:
            total = 0.0
            for p in range(len(B)):
                total += A[i][p] * B[p][j]
            C[i][j] = total
    return C


def python_loops_ikj(A: list[list[float]], B: list[list[float]]) -> list[list[float]]:
    """A @ B row by row: i-k-j, with what does not change kept in variables."""
    columns = range(len(B[0]))
    C = [[0.0] * len(B[0]) for _ in A]
    for i, out in enumerate(C):
        for p, row in enumerate(B):
            factor = A[i][p]
            for j in columns:
                out[j] += factor * row[j]
    return C


def python_relu(x: list[float]) -> list[float]:
    """max(x, 0), one element at a time."""
    out = []
    for value in x:
        out.append(value if value > 0 else 0.0)
    return out


def find(kernels: Any, name: str) -> Callable[..., Any]:
    """The kernel of that name: of a dict such as `globals()`, or an attribute.

    NotImplementedError where there is none, as if it were a stub.
    """
    found = kernels.get(name) if isinstance(kernels, Mapping) else getattr(kernels, name, None)
    if not callable(found):
        raise NotImplementedError(f"{name} is not written yet")
    return found


def with_workers(kernel: Callable[..., Any], workers: int) -> Callable[..., Any]:
    """The kernel on at most that many threads, where it lets itself be told."""
    try:
        told = "num_workers" in inspect.signature(kernel).parameters
    except (TypeError, ValueError):
        told = False
    return (lambda *args: kernel(*args, num_workers=workers)) if told else kernel


def as_ndarray(result: Any) -> np.ndarray:
    """What a kernel returned, Tensor or lists, as an array."""
    return np.asarray(getattr(result, "data", result))


def matmul_rungs(kernels: Any, seed: int = 0) -> list[Rung]:
    """The product from Python's loops to int8: square float32 matrices, and int8 levels of them."""
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((2, _PRODUCT_SIZES[-1], _PRODUCT_SIZES[-1]), dtype=np.float32)
    levels = [np.clip(np.rint(x / 0.03), -128, 127).astype(np.int8) for x in (A, B)]
    everyone = cores()
    many = f" ({everyone} threads)"

    def of_arrays(call: Callable[..., Any]) -> Callable[[int], tuple[Call, np.ndarray]]:
        def prepare(n: int) -> tuple[Call, np.ndarray]:
            a, b = A[:n, :n].copy(), B[:n, :n].copy()
            return (lambda: call(a, b)), a @ b

        return prepare

    def of_lists(call: Callable[..., Any]) -> Callable[[int], tuple[Call, np.ndarray]]:
        def prepare(n: int) -> tuple[Call, np.ndarray]:
            a, b = A[:n, :n], B[:n, :n]
            lists = a.tolist(), b.tolist()
            return (lambda: call(*lists)), a @ b

        return prepare

    def of_levels(call: Callable[..., Any]) -> Callable[[int], tuple[Call, np.ndarray]]:
        def prepare(n: int) -> tuple[Call, np.ndarray]:
            a, b = (q[:n, :n].copy() for q in levels)
            return (lambda: call(a, b)), a.astype(np.float32) @ b.astype(np.float32)

        return prepare

    def kernel(name: str, workers: int = 1) -> Callable[..., Any]:
        return lambda *args: with_workers(find(kernels, name), workers)(*args)

    def blocked(a: np.ndarray, b: np.ndarray) -> Any:
        return find(kernels, "cache_friendly_matmul")(a, b, block_size=64)

    def square(work: Callable[..., Work], *more: Any) -> Callable[[int], Work]:
        return lambda n: work(n, n, n, *more)

    # Where BLAS was not held to one thread, its products take as many as they like.
    blas, plain = blas_threads() or everyone, square(product_work)
    lists = square(list_product_work)
    rungs = [
        Rung("Python loops i-j-k", _LOOP_SIZES, of_lists(python_loops), lists),
        Rung("Python loops i-k-j", _LOOP_SIZES, of_lists(python_loops_ikj), lists),
        Rung("NumPy", _PRODUCT_SIZES, of_arrays(kernel("matmul_baseline")), plain, blas),
        Rung("blocked (64)", _PRODUCT_SIZES, of_arrays(blocked), plain, blas),
        Rung("compiled", _PRODUCT_SIZES, of_arrays(kernel("compiled_matmul")), plain),
        Rung(f"compiled{many}", _PRODUCT_SIZES, of_arrays(kernel("compiled_matmul", everyone)),
             plain, everyone),
        Rung("int8 through float32", _PRODUCT_SIZES, of_levels(kernel("quantized_matmul")),
             square(int8_product_work, "float32"), blas),
        Rung("int8 compiled", _PRODUCT_SIZES, of_levels(kernel("compiled_quantized_matmul")),
             square(int8_product_work)),
        Rung(f"int8 compiled{many}", _PRODUCT_SIZES,
             of_levels(kernel("compiled_quantized_matmul", everyone)),
             square(int8_product_work), everyone),
    ]  # fmt: skip
    return _without_repeats(rungs)


def _without_repeats(rungs: Iterable[Rung]) -> list[Rung]:
    """On one core, a kernel "on all threads" would be the rung before it once more."""
    return [rung for rung in rungs if "(1 threads)" not in rung.name]


def relu_size() -> int:
    """Elements of a float32 array that, with its result, is larger than the last cache.

    At least four million, at most sixteen million or a sixteenth of the memory.
    """
    wanted = max([2**22, *(size // 4 for size in caches().values())])
    return min(wanted, 2**24, max(2**16, (describe()["memory"] or 2**31) // 16 // 4))


def relu_rungs(kernels: Any, seed: int = 0) -> list[Rung]:
    """ReLU from Python's loop to int8: an array beyond the caches, or as much as time allows."""
    largest, everyone = relu_size(), cores()
    many = f" ({everyone} threads)"
    x = np.random.default_rng(seed).standard_normal(largest, dtype=np.float32)
    levels = np.clip(x * 50, -128, 127).astype(np.int8)
    sizes = [*(size for size in (2**12, 2**16, 2**20) if size < largest), largest]

    def rung(
        name: str, kernel: str, source: np.ndarray, work: Callable[[int], Work], workers: int = 1
    ) -> Rung:
        def prepare(size: int) -> tuple[Call, np.ndarray]:
            part = source[:size]
            expected = np.maximum(part, part.dtype.type(0)).astype(np.float32)
            return (lambda: with_workers(find(kernels, kernel), workers)(part)), expected

        return Rung(name, sizes, prepare, work, workers)

    def loop(size: int) -> tuple[Call, np.ndarray]:
        numbers = x[:size].tolist()
        return (lambda: python_relu(numbers)), np.maximum(x[:size], 0)

    rungs = [
        Rung("Python loop", sizes[:2], loop, list_relu_work),
        rung("NumPy", "vectorized_relu", x, relu_work),
        rung(f"NumPy{many}", "parallel_relu", x, relu_work, everyone),
        rung("compiled", "compiled_relu", x, relu_work),
        rung(f"compiled{many}", "compiled_relu", x, relu_work, everyone),
        rung("int8", "quantized_relu", levels, int8_relu_work),
    ]
    return _without_repeats(rungs)


def sparse_rungs(kernels: Any, seed: int = 0) -> list[Rung]:
    """A batch of 256 through square weights of which a tenth is left, on one thread."""
    rng = np.random.default_rng(seed)

    def weights(n: int) -> np.ndarray:
        chosen = np.random.default_rng(n)
        kept = chosen.random((n, n)) < _KEPT
        return np.where(kept, chosen.standard_normal((n, n), dtype=np.float32), np.float32(0))

    def prepare(n: int) -> tuple[Call, np.ndarray]:
        A, W = rng.standard_normal((256, n), dtype=np.float32), weights(n)
        sparse = to_sparse(W)
        return (lambda: with_workers(find(kernels, "sparse_matmul"), 1)(A, sparse)), A @ W

    def work(n: int) -> Work:
        return sparse_work(256, n, n, int(np.count_nonzero(weights(n))))

    return [Rung("sparse (10 % left)", _PRODUCT_SIZES, prepare, work)]


def measure_rungs(rungs: Iterable[Rung], rounds: int = 5) -> tuple[list[Reading], list[str]]:
    """Check, size and race the contestants; returns the readings and what was left out, and why."""
    calls: dict[str, Call] = {}
    chosen: dict[str, tuple[Rung, int]] = {}
    not_written: dict[str, None] = {}  # in order, each once
    left_out = []
    for rung in rungs:
        try:
            size, call = _largest_in_time(rung)
        except NotImplementedError as stub:
            not_written[str(stub).removesuffix(" is not written yet") or rung.name] = None
        except AssertionError as wrong:
            left_out.append(f"{rung.name}: left out, {wrong}.")
        except Exception as error:
            left_out.append(f"{rung.name}: left out, {type(error).__name__}: {error}.")
        else:
            calls[rung.name], chosen[rung.name] = call, (rung, size)
    if not_written:
        left_out.append(f"Not written yet, so left out: {', '.join(not_written)}.")
    times = race(calls, rounds=rounds)
    readings = [
        Reading(name, size, rung.work(size), rung.threads, times[name])
        for name, (rung, size) in chosen.items()
    ]
    gc.collect()  # the matrices, which closures and frames hold in circles
    return readings, left_out


def _largest_in_time(rung: Rung) -> tuple[int, Call]:
    """The largest size at which a call keeps within the reader's patience, and that call."""
    call, expected = rung.prepare(rung.sizes[0])
    got = as_ndarray(call())
    assert got.shape == expected.shape, (
        f"its result has shape {got.shape}, expected {expected.shape}"
    )
    assert np.allclose(got, expected, rtol=1e-3, atol=1e-3), "its result is wrong"
    size = rung.sizes[0]
    for larger in rung.sizes[1:]:
        start = time.perf_counter()
        call()
        growth = rung.work(larger).operations / rung.work(size).operations
        if (time.perf_counter() - start) * growth > _PATIENCE:
            break
        size, (call, _) = larger, rung.prepare(larger)
        call()
    return size, call
