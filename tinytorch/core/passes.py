"""Elementwise work compiled into one pass over memory: to int8 levels, and from levels by a scale.

NumPy makes one pass for each operation. What the numbers mean, which dtype they are divided in,
and what happens to arrays in another memory order is the business of `compression`.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinytorch.core.simd import COMPILING, compiled

# Below this many elements NumPy's passes take less than 20 us, and nothing has to be compiled.
_WORTH_COMPILING = 1 << 12


def one_pass_rows(array: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """`array` (of any shape) as rows in C order for the functions below; None where it is not fit.

    Rows may be wider than `array`, which is then their left part: a slice of columns counts as C
    order up to its own width, so that Numba compiles nothing anew for it and nothing is copied.
    """
    flags = array.flags
    fit = COMPILING and flags.aligned and flags.writeable and array.dtype.isnative
    if not fit or array.size < _WORTH_COMPILING:
        return None
    if flags.c_contiguous:
        return array.reshape(-1, array.shape[-1])
    if array.ndim != 2 or array.strides[1] != array.itemsize:
        return None
    width, rest = divmod(array.strides[0], array.itemsize)
    if rest or width < array.shape[1]:
        return None
    return np.lib.stride_tricks.as_strided(array, (len(array), width))


@compiled
def levels_by_one(x, columns, scale, out):
    """out = clip(round(x / scale), -128, 127) for that many columns; True where an x was NaN.

    `scale` has the dtype of x.
    """
    low, high = x.dtype.type(-128), x.dtype.type(127)
    wrong = np.int32(0)
    for r in range(len(out)):
        row, target = x[r, :columns], out[r, :columns]
        for i in range(len(target)):
            q = np.rint(row[i] / scale)
            # int32 throughout: Numba's own int64 would halve the lanes (0.55 against 0.21 ms).
            wrong = np.int32(wrong | (q != q))
            target[i] = np.int32(min(max(q, low), high))
    return wrong != 0


@compiled
def levels_by_column(x, columns, scales, out):
    """`levels_by_one` with one scale for each column."""
    low, high = x.dtype.type(-128), x.dtype.type(127)
    wrong = np.int32(0)
    for r in range(len(out)):
        row, target = x[r, :columns], out[r, :columns]
        for i in range(len(target)):
            q = np.rint(row[i] / scales[i])
            wrong = np.int32(wrong | (q != q))
            target[i] = np.int32(min(max(q, low), high))
    return wrong != 0


@compiled
def scale_by_one(rows, columns, factor):
    """rows[:, :columns] *= factor, rounded once: float64 on the way.

    In place because LLVM cannot know that two arrays are one and the same: with an output beside
    the input it checked, found an overlap and took its scalar loop (0.65 against 0.26 ms).
    """
    for r in range(len(rows)):
        row = rows[r, :columns]
        for i in range(len(row)):
            row[i] = row[i] * factor


@compiled
def scale_by_column(rows, columns, factors):
    """`scale_by_one` with one factor for each column."""
    for r in range(len(rows)):
        row = rows[r, :columns]
        for i in range(len(row)):
            row[i] = row[i] * factors[i]


@compiled
def product_by_one(q, factor, out):
    """out = q * factor for rows of integers, rounded once: float64 on the way."""
    for r in range(len(out)):
        row, target = q[r], out[r]
        for i in range(len(target)):
            target[i] = row[i] * factor


@compiled
def product_by_column(q, factors, out):
    """`product_by_one` with one factor for each column."""
    for r in range(len(out)):
        row, target = q[r], out[r]
        for i in range(len(target)):
            target[i] = row[i] * factors[i]
