"""The dull side of products with pruned weights: shapes, bounded pieces, transposed copies.

Pieces keep the workspace small whatever the sizes are. The loop that skips the zeros is the
kernel's business, and the format that of `tinytorch.core.compression`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tinytorch.core.compression import SparseMatrix, to_sparse
from tinytorch.core.layers import matmul_operands
from tinytorch.core.simd import compilable, compiled
from tinytorch.core.simd.rows import row_width
from tinytorch.core.tensor import ArrayLike, as_array
from tinytorch.core.workers import cuts

# Rows of W at a time: the batch's share of the cache is 1 MiB for them, at 64-byte registers.
# With k = 16,384, 16 MiB took 2.2 times as long and 1/8 MiB 2.3 times.
_DEPTH = 4096
_ENTRIES = 1 << 20  # of a dense piece: 8 MiB in float64
_COLUMNS, _ROWS = 256, 2048  # of a dense piece, and of A: their product takes 4 MiB
_STORED_COLUMNS = 1 << 16  # of a sparse piece: two lists of 0.5 MiB say where they begin and end
# Multiply-adds that are worth a thread: about 0.35 ms.
_WORTH_A_THREAD = 1 << 23


def sparse_operands(
    A: ArrayLike, W: ArrayLike | SparseMatrix
) -> tuple[np.ndarray, np.ndarray | SparseMatrix]:
    """A as an ndarray and W as one too, or as it is where it is sparse. Nothing is copied.

    Raises ValueError, naming both shapes, unless A is (m, k) and W is (k, n).
    """
    if not isinstance(W, SparseMatrix):
        return matmul_operands(A, W)
    a = as_array(A)
    # A view of one zero has the shape, and takes no memory: the message is that of all products.
    matmul_operands(a, np.broadcast_to(np.int8(0), W.shape))
    return a, W


@dataclass(frozen=True, eq=False)
class WeightPiece:
    """The rows `rows` of some columns of W, the first of which is `left`.

    Column left + j is stored from begin[j] up to end[j]. Row p of W stands in `indices` as
    p - rows.start + base.
    """

    rows: slice
    left: int
    begin: np.ndarray
    end: np.ndarray
    indices: np.ndarray
    values: np.ndarray
    base: int

    def to_dense(self, first: int, last: int) -> np.ndarray:
        """Columns first to last of the piece, zeros included."""
        begin, end = self.begin[first:last], self.end[first:last]
        dense = np.zeros((self.rows.stop - self.rows.start, len(begin)), self.values.dtype)
        columns = np.repeat(np.arange(len(begin)), end - begin)
        places = np.arange(len(columns)) + np.repeat(begin - _before(end - begin), end - begin)
        dense[self.indices[places] - self.base, columns] = self.values[places]
        return dense


def _before(counts: np.ndarray) -> np.ndarray:
    """How many there are before each: 0, counts[0], counts[0] + counts[1], ..."""
    return np.cumsum(counts) - counts


def weight_pieces(w: np.ndarray | SparseMatrix) -> Iterator[WeightPiece]:
    """All of W in pieces of at most 4,096 rows; what is not sparse is made so piece by piece."""
    if isinstance(w, SparseMatrix):
        yield from _sparse_pieces(w)
        return
    k, n = w.shape
    step = max(1, _ENTRIES // max(1, min(k, _DEPTH)))
    for left in range(0, n, step):
        for top in range(0, k, _DEPTH):
            rows = slice(top, min(top + _DEPTH, k))
            part = to_sparse(w[rows, left : left + step])
            begin, end = part.indptr[:-1], part.indptr[1:]
            yield WeightPiece(rows, left, begin, end, part.indices, part.values, 0)


def _sparse_pieces(w: SparseMatrix) -> Iterator[WeightPiece]:
    k, n = w.shape
    for left in range(0, n, _STORED_COLUMNS):
        indptr = w.indptr[left : left + _STORED_COLUMNS + 1]
        begin, last = indptr[:-1], indptr[1:]
        for top in range(0, k, _DEPTH):
            rows = slice(top, min(top + _DEPTH, k))
            end = last if rows.stop == k else np.empty_like(begin)
            if rows.stop < k:
                column_cuts(begin, last, w.indices, rows.stop, end)
            yield WeightPiece(rows, left, begin, end, w.indices, w.values, top)
            begin = end


def row_slabs(a: np.ndarray, rows: slice, dtype: np.dtype[Any]) -> Iterator[tuple[int, np.ndarray]]:
    """(i, A[i : i + ..., rows]) for a bounded number of A's rows at a time."""
    step = min(_ROWS, max(1, _ENTRIES // max(1, rows.stop - rows.start)))
    for i in range(0, len(a), step):
        # Read-only or strided arrays are other types to Numba: each would be compiled for anew.
        yield i, np.require(a[i : i + step, rows], dtype, ["C", "W"])


def can_skip_zeros(slab: np.ndarray, piece: WeightPiece) -> bool:
    """Whether products with zero may be left out: 0 * inf and 0 * NaN are NaN.

    Dtypes that are not compiled do not skip either.
    """
    return compilable(slab, piece.values) and bool(all_finite(slab.reshape(-1)))


def add_dense(slab: np.ndarray, piece: WeightPiece, out: np.ndarray, i: int) -> None:
    """out += slab @ piece at the rows from i on, zeros included."""
    rows = slice(i, i + len(slab))
    for first in range(0, len(piece.begin), _COLUMNS):
        dense = piece.to_dense(first, first + _COLUMNS)
        columns = slice(piece.left + first, piece.left + first + dense.shape[1])
        with np.errstate(all="ignore"):
            out[rows, columns] += slab @ dense


def useful_workers(slab: np.ndarray, piece: WeightPiece) -> int:
    """How many threads a slab times a piece of the weights keeps busy."""
    return len(slab) * int(np.sum(piece.end - piece.begin)) // _WORTH_A_THREAD


def kernel_pieces(
    slab: np.ndarray, piece: WeightPiece, out: np.ndarray, i: int, workers: int
) -> list[tuple[Any, ...]]:
    """Arguments of the kernel's calls: as many rows of the slab as fit the registers, each.

    With fewer such batches than workers, the columns are shared as well.
    """
    width = row_width(out)
    batches = range(0, len(slab), width)
    across = 1 if len(batches) >= workers else workers
    stored, pieces = (piece.indices, piece.values, piece.base, out), []
    for first, last in pairwise(cuts(len(piece.begin), across, 32)):
        columns = piece.begin[first:last], piece.end[first:last]
        for r in batches:
            batch = slab[r : r + width]
            pieces.append((batch, *columns, *stored, i + r, piece.left + first))
    return pieces


@compiled
def packed_batch(a, out):
    """Rows of A (batch, k) as columns of a new panel (k, row_width), filled up with zeros."""
    width = row_width(out)
    panel = aligned(len(a[0]) if len(a) else 0, width, out)
    for first in range(0, len(panel), 64):  # 64 rows of the panel stay in L1 while they fill up
        for i in range(len(a)):
            row, column = a[i, first : first + 64], panel[first : first + 64, i]
            for p in range(len(row)):
                column[p] = row[p]
        panel[first : first + 64, len(a) :] = 0
    return panel


@compiled
def aligned(rows, columns, like):
    """An empty array that starts at a cache line: no vector lies across two of them."""
    spare = 64 // like.itemsize
    memory = np.empty(rows * columns + spare, like.dtype)
    start = (64 - memory.ctypes.data % 64) // like.itemsize % spare
    return memory[start : start + rows * columns].reshape(rows, columns)


@compiled
def add_transposed(sums, out, i, j):
    """out[i, j], out[i, j + 1], ... += column 0 of the sums, and so on for the batch's rows."""
    for r in range(min(len(out) - i, sums.shape[1])):
        row, column = out[i + r, j : j + len(sums)], sums[:, r]
        for c in range(len(row)):
            row[c] += column[c]


@compiled
def all_finite(x):
    """Whether no element of a vector is NaN or infinite."""
    wrong = np.int32(0)
    for i in range(len(x)):
        # int32 throughout: Numba's own int64 would halve the lanes (17 against 5 us for 65,536).
        wrong = np.int32(wrong | (x[i] - x[i] != 0))
    return wrong == 0


@compiled
def column_cuts(begin, last, indices, row, end):
    """Where each column, stored from begin[j] up to last[j], reaches a row of W."""
    for j in range(len(end)):
        end[j] = begin[j] + np.searchsorted(indices[begin[j] : last[j]], row)
