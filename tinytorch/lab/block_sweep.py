"""Tiles of a matrix product: the size that the caches predict, and the size that is fastest.

Three tiles of b by b fit into a cache while 3 b² itemsize is no more than it holds. Drawn by
sweep_plots.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tinytorch.core.simd import COMPILING, compiled
from tinytorch.lab.machine import caches
from tinytorch.lab.measure import race
from tinytorch.lab.rungs import as_ndarray, find

_CLOSE = 1.05  # times the fastest: too close to call


class BlockSweep(NamedTuple):
    """seconds: per call, by block size, one entry per round. loops: the same for compiled loops in
    tiles, where no call costs anything; empty where Numba does not compile. predicted: by level
    of cache; empty where the sizes are unknown. notes: what was left out."""

    n: int
    itemsize: int
    seconds: dict[int, list[float]]
    loops: dict[int, list[float]]
    predicted: dict[str, int]
    notes: list[str]


def predicted_blocks(sizes: Mapping[str, int], itemsize: int) -> dict[str, int]:
    """The largest b with 3 b² itemsize <= size, for L1 and L2 as far as they are known.

    sizes: level -> bytes, as `machine.caches()` returns them.
    """
    return {level: math.isqrt(sizes[level] // (3 * itemsize))
            for level in ("L1", "L2") if level in sizes}  # fmt: skip


def measure_blocks(
    kernels: Any, n: int = 512, blocks: Sequence[int] = (16, 32, 64, 128, 256, 512),
    rounds: int = 5,
) -> BlockSweep:  # fmt: skip
    """Race `cache_friendly_matmul` at these block sizes for two n by n float32 matrices.

    kernels: a dict such as `globals()`, a module or a namespace. Where the kernel is missing,
    wrong or breaks, `seconds` is empty and `notes` says why.
    """
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((2, n, n), dtype=np.float32)
    notes: list[str] = []
    calls: dict[tuple[str, int], Any] = {}
    try:
        kernel = find(kernels, "cache_friendly_matmul")
        right = np.allclose(as_ndarray(kernel(A, B, block_size=max(blocks))), A @ B, atol=1e-2)
        if right:
            calls = {("yours", b): partial(kernel, A, B, block_size=b) for b in blocks}
        else:
            notes.append("cache_friendly_matmul: left out, its result is wrong.")
    except NotImplementedError as not_written:
        notes.append(f"cache_friendly_matmul: left out, {not_written or 'it is not written yet'}.")
    except Exception as error:
        notes.append(f"cache_friendly_matmul: left out, {type(error).__name__}: {error}.")
    if COMPILING:
        calls |= {("loops", b): partial(_loops_in_tiles, A, B, np.empty_like(A), b) for b in blocks}
    times = race(calls, rounds=rounds)
    found = {who: {b: times[who, b] for b in blocks if (who, b) in times}
             for who in ("yours", "loops")}  # fmt: skip
    return BlockSweep(
        n, 4, found["yours"], found["loops"], predicted_blocks(caches(), 4), notes
    )  # fmt: skip


def fastest(seconds: Mapping[int, Sequence[float]]) -> int:
    """The block size with the smallest median."""
    return min(seconds, key=lambda b: statistics.median(seconds[b]))


def agreement(
    seconds: Mapping[int, Sequence[float]],
    predicted: Mapping[str, int],
    n: int,
    loops: bool = False,
) -> str:
    """A sentence that compares the fastest block with the prediction, and says why they disagree.

    A prediction holds if the largest block that was tried and fits is the fastest, or within 5 %
    of it. What a step costs beyond its arithmetic is taken from the smallest block; loops: a step
    is a run of the innermost loop, else it is a product of two tiles.
    """
    best = fastest(seconds)
    medians = {b: statistics.median(times) for b, times in seconds.items()}
    text = f"fastest at {best}" + (", the whole matrix" if best >= n else "")
    if not predicted:
        return f"{text}; the caches of this machine are unknown, so nothing was predicted."
    fitting = {level: max((b for b in seconds if b <= most), default=min(seconds))
               for level, most in predicted.items()}  # fmt: skip
    told = ", ".join(f"{level} {most}" for level, most in predicted.items())
    told = f"(largest tiles of which three fit: {told})"
    for level, block in fitting.items():
        if block == best:
            return f"{text}, as {level} predicts {told}."
        if medians[block] <= _CLOSE * medians[best]:
            return f"{text}, and {block}, as {level} predicts, is too close to call {told}."
    if best > max(fitting.values()):
        return f"{text}, larger than predicted {told}. {_why_larger(medians, fitting, n, loops)}"
    if best < min(fitting.values()):
        return (
            f"{text}, smaller than predicted {told}. Something else fills the caches, or rows "
            "that lie a power of two apart compete for the same places."
        )
    return (
        f"{text}, between the predictions {told}: some tiles come from L2, and larger ones need "
        "fewer steps."
    )


def _why_larger(
    medians: Mapping[int, float], fitting: Mapping[str, int], n: int, loops: bool
) -> str:  # fmt: skip
    """How much of the time at the predicted block is spent on steps and not on arithmetic."""
    smallest, block = min(medians), max(fitting.values())
    if block == smallest:
        return "No smaller block was tried."
    step = "run of the innermost loop" if loops else "step"
    counts = {b: math.ceil(n / b) * n**2 if loops else math.ceil(n / b) ** 3
              for b in (smallest, block)}  # fmt: skip
    # Two equations: time = steps x (cost of a step) + (the arithmetic, the same for both).
    cost = (medians[smallest] - medians[block]) / (counts[smallest] - counts[block])
    share = min(1.0, max(0.0, cost * counts[block] / medians[block]))
    if share >= 0.1:
        size = f"{cost * 1e6:.1f} µs" if cost >= 1e-7 else f"{cost * 1e9:.1f} ns"
        return (
            f"A {step} costs {size} whatever its size, {share:.0%} of the time at {block}: it "
            "pays to take fewer."
        )
    return f"The cost of a {step}, {share:.0%} of the time at {block}, does not explain it: " + (
        "a larger, slower cache is fast enough." if loops else "BLAS cuts tiles of its own."
    )


def conclusion(sweep: BlockSweep) -> str:
    """What the sweep says about the reader's kernel and about plain loops."""
    text = []
    if sweep.seconds:
        text.append("Yours: " + agreement(sweep.seconds, sweep.predicted, sweep.n))
    if sweep.loops:
        found = agreement(sweep.loops, sweep.predicted, sweep.n, loops=True)
        text.append(f"Compiled loops: {found}")
    return "\n".join([*text, *sweep.notes])


@compiled
def _loops_in_tiles(A, B, C, block):  # type: ignore[no-untyped-def]
    """C = A @ B, i-k-j within tiles; whole rows of a tile at a time, so that the loop is SIMD."""
    n = A.shape[0]
    C[:] = 0
    for i0 in range(0, n, block):
        for p0 in range(0, n, block):
            for j0 in range(0, n, block):
                for i in range(i0, min(i0 + block, n)):
                    out = C[i, j0 : j0 + block]
                    for p in range(p0, min(p0 + block, n)):
                        factor, row = A[i, p], B[p, j0 : j0 + block]
                        for j in range(out.size):
                            out[j] += factor * row[j]
