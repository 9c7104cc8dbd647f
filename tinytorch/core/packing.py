"""Copies of matrix pieces in the order in which a register tile reads them, and who reads what.

The outer three of the five loops around a register tile (Goto and van de Geijn 2008, "Anatomy of
high-performance matrix multiplication") are the steps here; the inner two, over the tiles of a
step, and what is done with a tile are the kernel's business.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tinytorch.core.scratch import scratch
from tinytorch.core.simd import compiled
from tinytorch.core.simd.tiles import copy_row, tile_shape
from tinytorch.core.workers import rectangles

Place = tuple[int, int, int, int]

# A sliver of B (DEPTH rows of a tile's width: 16 KiB with AVX2) stays in the first cache while the
# tiles below each other use it, a block of A (ROWS x DEPTH, 96 KiB) in the second while it meets
# all slivers of a panel of B (DEPTH rows, PANEL bytes). From a sweep, see benchmarks/README.md.
DEPTH, ROWS, PANEL = 256, 96, 2**20

#: Elements between the rows of a packed block of A. No power of two, or rows would share cache
#: sets; a constant, because then the addresses of a tile's rows cost no instructions (5 %).
STRIDE = DEPTH + 16


#: Multiply-adds below which packing costs more than it saves: up to 64 x 64 matrices, NumPy's
#: product is done before a block is packed.
WORTH_PACKING = 2**18

# Copies up to this size are made for the compiler's sake; two of them stay within 64 MiB.
_LARGEST_COPY = 24 * 2**20


def in_c_order(array: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """`array` in C order, of `dtype` and writable: a copy where it is not, unless it is large.

    Each memory order and each pair of dtypes is a type of its own to Numba, and costs about a
    second of compilation. A large array is left as it is and costs that second, but no memory.
    """
    if array.flags.carray and array.dtype == dtype:
        return array
    if array.size * dtype.itemsize > _LARGEST_COPY:
        return array
    return np.require(array, dtype, ["C", "W"])


@compiled
def pack_block(A, i, rows, p, depth, block):
    """block = A[i : i + rows, p : p + depth], a row every STRIDE elements."""
    _, wide = tile_shape(block)
    for r in range(rows):
        for q in range(0, depth, wide):
            if q + wide <= depth:
                copy_row(block, r * STRIDE + q, A, i + r, p + q)
            else:
                for c in range(q, depth):
                    block[r * STRIDE + c] = A[i + r, p + c]


@compiled
def pack_panel(B, p, depth, left, right, panel):
    """panel = B[p : p + depth, left:right], cut into slivers as wide as the tile.

    A sliver's rows follow each other in memory. The last sliver is filled up with zeros.
    """
    _, wide = tile_shape(panel)
    # Four slivers at a time: a row of B is read in pieces of four cache lines or more. One at a
    # time took 0.43 ns a number, four take 0.18, all of them 0.31 (1024 x 1024, AVX2).
    for four in range(left, right, 4 * wide):
        for q in range(depth):
            for j in range(four, min(four + 4 * wide, right), wide):
                at = (j - left) * depth + q * wide
                if j + wide <= right:
                    copy_row(panel, at, B, p + q, j)
                else:
                    for c in range(wide):
                        panel[at + c] = B[p + q, j + c] if j + c < right else 0


def shares(C: np.ndarray, k: int, workers: int) -> list[tuple[Place, np.ndarray, np.ndarray]]:
    """C cut into at most `workers` places, each with room for what its thread packs.

    (place, block, panel): place is (top, bottom, left, right); the room, about 1.2 MiB, stays with
    the calling thread for its next call, so that no page of it is new every time.
    """
    return [
        (place, scratch(f"block {i}", (rows,), C.dtype), scratch(f"panel {i}", (columns,), C.dtype))
        for i, (place, rows, columns) in enumerate(_rooms(C.shape, k, workers, C.dtype))
    ]


@functools.lru_cache(256)  # a network's layers: saves 5 us a call, as long as a product of N = 64
def _rooms(
    shape: tuple[int, int], k: int, workers: int, dtype: np.dtype[Any]
) -> list[tuple[Place, int, int]]:
    """Places, and how many numbers their blocks and panels hold."""
    like = np.empty(0, dtype)
    tall, wide = tile_shape(like)
    most, found = panel_columns(like, k), []
    for place in rectangles(*shape, workers):
        top, bottom, left, right = place
        rows, columns = min(ROWS, bottom - top) + tall, min(most, right - left) + wide
        found.append((place, rows * STRIDE, columns * min(DEPTH, max(k, 1))))
    return found


@compiled
def panel_columns(C, k):
    """How many columns of B (k, n) make a panel of PANEL bytes, in whole tiles."""
    _, wide = tile_shape(C)
    return max(PANEL // (min(DEPTH, max(k, 1)) * C.itemsize * wide), 1) * wide


@compiled
def step_count(A, C, place):
    """How many steps a place of C takes: one for each panel of B and block of A that meet."""
    top, bottom, left, right = place
    columns = panel_columns(C, A.shape[1])
    return _pieces(right - left, columns) * _parts(A) * _pieces(bottom - top, ROWS)


@compiled
def pack_step(step, A, B, C, place, block, panel):
    """Pack what a step needs; returns (i0, i1, j0, j1, p, depth).

    The step adds A[i0:i1, p : p + depth] @ B[p : p + depth, j0:j1] to C[i0:i1, j0:j1]. Row r of
    `block` starts at r * STRIDE, the sliver of column j in `panel` at (j - j0) * depth. The steps
    of one panel follow each other, and their first one packs it.
    """
    top, bottom, left, right = place
    columns = panel_columns(C, A.shape[1])
    rest, down = divmod(step, _pieces(bottom - top, ROWS))
    across, part = divmod(rest, _parts(A))
    i0, j0, p = top + down * ROWS, left + across * columns, part * DEPTH
    i1, j1, depth = min(i0 + ROWS, bottom), min(j0 + columns, right), min(DEPTH, A.shape[1] - p)
    if down == 0:
        pack_panel(B, p, depth, j0, j1, panel)
    pack_block(A, i0, i1 - i0, p, depth, block)
    return i0, i1, j0, j1, p, depth


@compiled
def _pieces(size, most):
    return -(-size // most)


@compiled
def _parts(A):
    """Into how many parts the sums are cut: one even where k is 0, for C has to be written."""
    return max(_pieces(A.shape[1], DEPTH), 1)
