"""What meets in a race: inputs, the kernel's call, its peers' calls, and the right result.

Which of them race at which sizes stands in `cases`. Every maker of a contest ends with the number
of threads, which only some peers want to know.
"""

import importlib
import statistics
import subprocess
import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from benchmarks import peers
from tinytorch.core.tensor import Tensor

BLOCKS = (32, 64, 128, 256, 512)  # of cache_friendly_matmul; the best one races
Expected = Callable[[], np.ndarray]


@dataclass
class Contest:
    """Inputs are made, and every call takes no arguments. A peer of None is not installed.

    expected: what `ours` and the peers must return, up to `tolerance` (absolute). elsewhere: the
    same pair for a peer whose operands differ. readings: the calls return seconds themselves.
    """

    ours: Callable[..., Any]
    peers: dict[str, peers.Call]
    expected: Expected | None = None
    tolerance: float = 0.0
    elsewhere: dict[str, tuple[Expected, float]] = field(default_factory=dict)
    readings: bool = False
    note: str = ""


class WrongResult(Exception):
    """A contestant does not compute what the others compute."""


def verify(contest: Contest) -> None:
    """Raise WrongResult unless every contestant returns what is expected."""
    if contest.expected is None:
        return
    made: dict[Expected, np.ndarray] = {}
    for name, call in {"the kernel": contest.ours, **contest.peers}.items():
        if call is None:
            continue
        expected, tolerance = contest.elsewhere.get(name, (contest.expected, contest.tolerance))
        if expected not in made:
            made[expected] = expected()
        _compare(name, peers.as_numpy(call()), made[expected], tolerance)


def _compare(name: str, got: np.ndarray, want: np.ndarray, tolerance: float) -> None:
    if got.shape != want.shape:
        raise WrongResult(f"{name}: shape {got.shape}, expected {want.shape}")
    have, need, wrong = got.reshape(-1), want.reshape(-1), 0
    first = ""
    for start in range(0, have.size, 2**18):  # in pieces that stay in the cache: ten times faster
        piece = slice(start, start + 2**18)
        off = ~(np.abs(have[piece].astype(np.float64) - need[piece]) <= tolerance)
        if off.any() and not first:
            at = start + int(off.argmax())
            where = tuple(int(i) for i in np.unravel_index(at, got.shape))
            first = f"the first at {where} is {have[at]}, expected {need[at]} up to {tolerance:.1g}"
        wrong += int(off.sum())
    if wrong:
        raise WrongResult(f"{name}: {wrong:,} of {have.size:,} results are wrong; {first}")


def kernel(name: str) -> Any:
    """A public name of tinytorch.core.kernels, imported when a case needs it."""
    return getattr(importlib.import_module("tinytorch.core.kernels"), name)


def _normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def _rounding(k: int) -> float:
    """What k rounded float32 additions of standard normal products may be off; a lost one is 1."""
    return 4 * k * float(np.finfo(np.float32).eps)


# --- ReLU and other elementwise kernels ----------------------------------------------------------


def relu(name: str, n: int, threads: int) -> Contest:
    x = _normal(n)
    ours = kernel(name)
    tensor = Tensor(x)
    call = partial(ours, tensor, threads) if name == "parallel_relu" else partial(ours, tensor)
    return Contest(
        call,
        {"np.maximum(x, 0)": partial(np.maximum, x, 0), "torch.relu": peers.torch_relu(x)},
        expected=lambda: np.maximum(x, 0),
    )


def elementwise(n: int, threads: int) -> Contest:
    x, y = _normal(n), _normal(n, seed=1)
    numpy = partial(three, x, y)
    return Contest(
        partial(kernel("vectorized_operations"), Tensor(x), Tensor(y)),
        {"numpy": numpy},
        expected=lambda: peers.as_numpy(numpy()),
    )


def three(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """The three results of vectorized_operations, as one writes them in NumPy."""
    difference = x - y
    return {"multiply": x * y, "add": x + y, "squared_diff": difference * difference}


def _numpy_levels(x: np.ndarray, scale: float) -> np.ndarray:
    return np.clip(np.rint(x / np.float32(scale)), -128, 127)


def quantized_relu(n: int, threads: int) -> Contest:
    x, scale = _normal(n), 1 / 32

    def numpy() -> np.ndarray:
        return np.maximum(_numpy_levels(x, scale).astype(np.int8), 0) * np.float32(scale)

    ours = partial(kernel("quantized_relu"), Tensor(x), scale)
    return Contest(ours, {"numpy": numpy}, expected=numpy)


def batches(threads: int) -> Contest:
    items = [_normal(200_000, seed=s) for s in range(8)]
    return Contest(
        partial(kernel("parallel_batch_processing"), items, np.sort, threads),
        {"a Python loop": lambda: [np.sort(item) for item in items]},
    )


# --- float32 products ----------------------------------------------------------------------------


def product(name: str, n: int, threads: int) -> Contest:
    A, B = _normal(n, n), _normal(n, n, seed=1)
    return Contest(
        partial(kernel(name), Tensor(A), Tensor(B)),
        {"numpy @": partial(np.matmul, A, B)},
        expected=lambda: A.astype(np.float64) @ B,
        tolerance=_rounding(n),
    )


def best_block(n: int, threads: int) -> Contest:
    contest = product("cache_friendly_matmul", n, threads)
    calls = {block: partial(contest.ours, block) for block in BLOCKS if block < n}
    seconds = {b: min(timeit.repeat(call, number=1, repeat=4)) for b, call in calls.items()}
    best = min(seconds, key=seconds.__getitem__)
    contest.ours, contest.note = calls[best], f"block {best}, BLAS inside its tiles"
    return contest


def fused(batch: int, k: int, n: int, threads: int) -> Contest:
    x, W, b = _normal(batch, k), _normal(k, n, seed=1), _normal(n, seed=2)

    def expected() -> np.ndarray:
        out = x.astype(np.float64) @ W
        out += b
        return np.maximum(out, 0, out=out)

    return Contest(
        partial(kernel("fused_linear_relu"), Tensor(x), Tensor(W), Tensor(b)),
        {
            "torch.relu(linear)": peers.torch_linear_relu(x, W, b),
            "numpy": lambda: np.maximum(x @ W + b, 0),
        },
        expected=expected,
        tolerance=_rounding(k),
    )


def pruned(n: int, threads: int) -> Contest:
    A, W = _normal(64, n), _normal(n, n, seed=1)
    W *= np.random.default_rng(2).random((n, n)) < 0.1
    to_sparse = importlib.import_module("tinytorch.core.compression").to_sparse
    return Contest(
        partial(kernel("sparse_matmul"), Tensor(A), to_sparse(Tensor(W))),
        {"SciPy CSR": peers.scipy_csr(A, W), "dense numpy @": partial(np.matmul, A, W)},
        expected=lambda: A.astype(np.float64) @ W,
        tolerance=_rounding(n),
    )


# --- int8 products -------------------------------------------------------------------------------


def _exact(qa: np.ndarray, qb: np.ndarray) -> np.ndarray:
    """The exact product by float64 BLAS: NumPy's own int64 `@` took 7 s at N = 1024."""
    return qa.astype(np.float64) @ qb.astype(np.float64)


def quantized(name: str, n: int, floats: bool, threads: int) -> Contest:
    A, B = _normal(n, n), _normal(n, n, seed=1)
    scale = 1 / 32  # a power of two: then dividing by it rounds nowhere
    qa, qb = (_numpy_levels(x, scale).astype(np.int8) for x in (A, B))
    inputs = (A, B) if floats else (qa, qb)
    contest = Contest(
        partial(kernel(name), *map(Tensor, inputs), scale, scale),
        {"float32 @": partial(np.matmul, A, B)},
        expected=lambda: _exact(qa, qb) * scale**2,
        elsewhere={"float32 @": (lambda: A.astype(np.float64) @ B, _rounding(n))},
    )
    if name == "compiled_quantized_matmul" and not floats:
        _add_integer_peers(contest, qa, qb, threads)
    return contest


def _add_integer_peers(contest: Contest, qa: np.ndarray, qb: np.ndarray, threads: int) -> None:
    """Other libraries want the left operand unsigned: the same bytes, or the absolute values."""
    positive = np.abs(qa.astype(np.float64))
    largest = float(np.abs(positive @ qb).max())
    ua, right, contest.note = _exact_form(qa.view(np.uint8), qb)
    contest.peers |= {
        "torch fbgemm": peers.fbgemm(qa, qb, largest),
        "ONNX MatMulInteger": peers.onnx_integer_product(ua, right, threads),
    }
    contest.elsewhere |= {
        "torch fbgemm": (lambda: _exact(positive, qb), 0.6 * largest / 100),
        "ONNX MatMulInteger": (lambda: _exact(ua, right), 0.0),
    }


def _exact_form(ua: np.ndarray, qb: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Operands of MatMulInteger: uint8 by int8, its fastest form, where that is exact.

    Without VNNI it adds pairs of products in int16, which saturates; uint8 by uint8 does not.
    """
    largest = np.full((1, 64), 255, np.uint8), np.full((64, 16), 127, np.int8)
    call = peers.onnx_integer_product(*largest, 1)
    if call is None or (peers.as_numpy(call()) == 64 * 255 * 127).all():
        return ua, qb, ""
    return ua, qb.view(np.uint8), "ONNX: uint8 by uint8, its uint8 by int8 saturates here"


# --- what a call costs, the profiler, the import -------------------------------------------------


def overhead(
    name: str, bare: Callable[..., Any], shapes: tuple[tuple[int, ...], ...], threads: int
) -> Contest:
    arrays = [_normal(*shape, seed=s) for s, shape in enumerate(shapes)]
    return Contest(
        partial(kernel(name), *map(Tensor, arrays)),
        {"bare arrays": partial(bare, *arrays)},
        expected=lambda: peers.as_numpy(bare(*arrays)),
        tolerance=_rounding(8),
    )


def profiler(seconds: float, threads: int) -> Contest:
    """Readings of a busy loop of about `seconds`: ours, timeit's and torch's medians."""
    work = np.ones(256, np.float32)

    def busy(loops: int) -> None:
        for _ in range(loops):
            np.sqrt(work, out=work)

    once = min(timeit.repeat(partial(busy, 64), number=1, repeat=50)) / 64
    call = partial(busy, max(1, round(seconds / once)))
    profiler = kernel("SimpleProfiler")(repeats=101)
    return Contest(
        lambda: profiler.profile(call)[1]["wall_time"],
        {
            "timeit median": lambda: statistics.median(timeit.repeat(call, number=1, repeat=101)),
            "torch benchmark": peers.torch_median(call, 101 * seconds),
        },
        readings=True,
    )


def _import_seconds(module: str) -> float:
    """How long a fresh Python needs to import a module, its own start not counted."""
    program = (
        f"import time; start = time.perf_counter(); import {module}; "
        "print(time.perf_counter() - start)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"import {module} failed: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout)


def imports(threads: int) -> Contest:
    ours = partial(_import_seconds, "tinytorch.core.kernels")
    ours()  # the first start compiles and fills caches; the second is what counts
    peer = partial(_import_seconds, "numba")
    return Contest(ours, {"import numba": peer}, readings=True)
