"""Copies of matrix pieces in the order in which a register tile reads them, and who reads what.

The five loops around a register tile (Goto and van de Geijn 2008, "Anatomy of high-performance
matrix multiplication"), as a generator: it packs as it goes, and names one tile after the other.
What is done with a tile is the kernel's business.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.simd import compiled
from tinytorch.core.simd.tiles import copy_row, tile_shape

# A panel of B (DEPTH rows, PANEL bytes) stays in the second cache while it is used for one block
# of A (ROWS x DEPTH) after the other. Sizes from a sweep of about 45 settings.
DEPTH, ROWS, PANEL = 512, 24, 2**20

#: Elements between the rows of a packed block of A. No power of two, or rows would share cache
#: sets; a constant, because then the addresses of a tile's rows cost no instructions (5 %).
STRIDE = DEPTH + 16


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
    for j in range(left, right, wide):
        for q in range(depth):
            at = (j - left) * depth + q * wide
            if j + wide <= right:
                copy_row(panel, at, B, p + q, j)
            else:
                for c in range(wide):
                    panel[at + c] = B[p + q, j + c] if j + c < right else 0


@compiled
def workspace(A, C, place):
    """(block, panel): room for the packed pieces of one thread, about 1.2 MiB."""
    top, bottom, left, right = place
    tall, wide = tile_shape(C)
    depth = min(DEPTH, max(A.shape[1], 1))
    block = np.zeros((min(ROWS, bottom - top) + tall) * STRIDE, C.dtype)
    panel = np.empty((min(panel_columns(C, depth), right - left) + wide) * depth, C.dtype)
    return block, panel


@compiled
def panel_columns(C, depth):
    """How many columns of B make a panel of PANEL bytes, in whole tiles."""
    _, wide = tile_shape(C)
    return max(PANEL // (depth * C.itemsize * wide), 1) * wide


@compiled
def each_tile(A, B, C, place, block, panel):
    """Pack A and B piece by piece, and yield (i, j, p, depth, x, y) for each tile of C.

    place: (top, bottom, left, right) of C. i, j: the tile's corner in C. p, depth: the columns of
    A and rows of B that are packed. x, y: where the tile's rows start in `block`, and its columns
    in `panel`.
    """
    top, bottom, left, right = place
    tall, wide = tile_shape(C)
    k = A.shape[1]
    columns = panel_columns(C, min(DEPTH, max(k, 1)))
    for jj in range(left, right, columns):
        end = min(jj + columns, right)
        for p in range(0, max(k, 1), DEPTH):
            depth = min(DEPTH, k - p)
            pack_panel(B, p, depth, jj, end, panel)
            for ii in range(top, bottom, ROWS):
                below = min(ii + ROWS, bottom)
                pack_block(A, ii, below - ii, p, depth, block)
                for j in range(jj, end, wide):
                    for i in range(ii, below, tall):
                        yield i, j, p, depth, (i - ii) * STRIDE, (j - jj) * depth
