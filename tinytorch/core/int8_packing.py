"""Matrices as words of int8 levels, in the order in which the register tile of `simd.int8` reads.

Quantizes where the input is not int8 yet. What is done with the words is the kernel's business.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.core.compression import quantize
from tinytorch.core.scratch import scratch
from tinytorch.core.simd import compiled
from tinytorch.core.simd.int8 import RECIPE
from tinytorch.core.workers import cuts, worker_count

#: Levels in a word of 32 bits, rows and columns of the register tile, and what is added to B.
GROUP, TALL, WIDE = RECIPE.group, RECIPE.rows, RECIPE.lanes * RECIPE.vectors
OFFSET = RECIPE.offset

#: The longest sum of products of two levels that fits its int32 accumulator for certain.
LONGEST_SUM = (2**31 - 1) // 128**2

#: Multiply-adds up to which the product by BLAS is done sooner: 0.43 against 0.46 ms at 256 x 256.
WORTH_PACKING = 2**24

_LEVEL = np.dtype(np.int8 if GROUP == 4 else np.int16)
_PANEL = 8 << 20  # bytes of packed levels of B at a time, and as many on the way
_BLOCK = 1 << 17  # bytes of packed levels of A that a thread works on: they stay in its L2 cache
_BLOCKS = 24 << 20  # of all threads together
_WORTH_WAKING = 23  # 2**23 multiply-adds take 35 us, about as long as to share them


def threads_for(m: int, k: int, n: int, num_workers: int | None) -> int:
    """How many threads a product (m, k) @ (k, n) is worth, `num_workers` at most."""
    return worker_count(num_workers, min(m * k * n >> _WORTH_WAKING, _BLOCKS // _row_bytes(k)))


def row_cuts(m: int, k: int, workers: int) -> tuple[int, ...]:
    """Where to cut the rows of A (m, k) into blocks: whole tiles, a like number for each worker."""
    blocks = -(-m // (TALL * max(1, min(8, _BLOCK // _row_bytes(k)))))
    return cuts(m, -(-blocks // workers) * workers, TALL)


def panel_cuts(k: int, n: int) -> list[int]:
    """Where to cut the columns of B (k, n) into panels."""
    wide = max(1, _PANEL // (_words(k) * 4 * WIDE)) * WIDE
    return [*range(0, n, wide), n]


def column_cuts(left: int, right: int, workers: int) -> list[int]:
    """Where to cut the columns of a panel, so that each worker packs a part."""
    return [left + cut for cut in cuts(right - left, workers, WIDE)]


def _words(k: int) -> int:
    """Words that k levels fill."""
    return -(-k // GROUP)


def _row_bytes(k: int) -> int:
    """Bytes of a row of tiles of A."""
    return max(1, _words(k) * 4 * TALL)


def pack_rows(
    a: npt.NDArray[Any], scale: float
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """A's rows (m, k) as words (m / TALL, k / GROUP * TALL), and OFFSET times each row's sum.

    That is how much too large every sum of the row becomes. Valid until this thread's next call.
    """
    levels = _levels(a, scale, (len(a), _words(a.shape[1]) * GROUP))
    words = levels.view(np.uint32)
    slivers = scratch("int8 rows", (-(-len(a) // TALL), words.shape[1] * TALL), np.uint32)
    excess = np.zeros(len(slivers) * TALL, np.int32)
    _pack_rows(words, levels, slivers, excess)
    return slivers, excess


def empty_panel(k: int, columns: int) -> npt.NDArray[np.uint32]:
    """Room for that many columns of B: (columns / WIDE, k / GROUP * WIDE) words.

    It starts at a cache line, so that no 64-byte vector lies across two: 759 against 665 GOP/s.
    """
    return scratch("int8 panel", (-(-columns // WIDE), _words(k) * WIDE), np.uint32)


def pack_columns(
    b: npt.NDArray[Any], scales: npt.NDArray[np.float64], slivers: npt.NDArray[np.uint32]
) -> None:
    """B's columns (k, n) as words into the first rows of `slivers`, those of an `empty_panel`.

    scales: one for each column.
    """
    levels = _levels(b, scales, (_words(len(b)) * GROUP, b.shape[1]))
    pack = _pack_quads if GROUP == 4 else _pack_pairs
    pack(levels.view(f"u{_LEVEL.itemsize}"), slivers[: -(-b.shape[1] // WIDE)])


def _levels(x: np.ndarray, scale: float | np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Levels of x, filled up with zeros to `shape`: zeros add nothing to a product."""
    levels = scratch("int8 levels", shape, _LEVEL)
    levels[len(x) :] = 0
    levels[:, x.shape[1] :] = 0
    quantize(x, scale, out=levels[: len(x), : x.shape[1]])
    return levels


@compiled
def _pack_rows(words, levels, slivers, excess):
    """Rows of words to slivers in which a tile step reads TALL words in a row."""
    for i in range(len(slivers) * TALL):
        column = slivers[i // TALL, i % TALL :: TALL]
        if i < len(words):
            row = words[i]
            for p in range(len(row)):
                column[p] = row[p]
            total = np.int32(0)
            for level in levels[i]:
                total = np.int32(total + level)
            excess[i] = np.int32(OFFSET * total)
        else:
            column[:] = 0


@compiled
def _pack_quads(levels, slivers):
    """Four rows of uint8 levels to words, OFFSET added to each level."""
    flip = np.uint32(OFFSET * 0x01010101)  # x + 128 and x ^ 128 are the same eight bits
    for p in range(slivers.shape[1] // WIDE):
        r0, r1, r2, r3 = levels[4 * p], levels[4 * p + 1], levels[4 * p + 2], levels[4 * p + 3]
        for s in range(len(slivers)):
            start = s * WIDE
            target = slivers[s, p * WIDE :][: min(WIDE, levels.shape[1] - start)]
            s0, s1, s2, s3 = r0[start:], r1[start:], r2[start:], r3[start:]
            for j in range(len(target)):
                low = np.uint32(s0[j]) | np.uint32(s1[j]) << np.uint32(8)
                high = np.uint32(s2[j]) | np.uint32(s3[j]) << np.uint32(8)
                target[j] = (low | high << np.uint32(16)) ^ flip


@compiled
def _pack_pairs(levels, slivers):
    """Two rows of uint16 levels to words."""
    for p in range(slivers.shape[1] // WIDE):
        r0, r1 = levels[2 * p], levels[2 * p + 1]
        for s in range(len(slivers)):
            start = s * WIDE
            target = slivers[s, p * WIDE :][: min(WIDE, levels.shape[1] - start)]
            s0, s1 = r0[start:], r1[start:]
            for j in range(len(target)):
                target[j] = np.uint32(s0[j]) | np.uint32(s1[j]) << np.uint32(16)
