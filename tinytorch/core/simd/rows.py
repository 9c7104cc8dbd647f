"""A row of numbers that stays in four vector registers: float32 and float64.

Compiled functions start from zeros, add scaled rows of an array and store the sum. Nothing in
this module knows what is being computed. Indices count from zero; nothing is checked.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, overload, register_model

from tinytorch.core.simd.registers import (
    element,
    load,
    multiply_add,
    registers,
    splat,
    store,
    vector_type,
)

# One register fetches the row's place again for 16 numbers, four for 64: 422 against 188 us in a
# product with pruned weights. Eight spill where a CPU has 16, and more of a small batch is padding.
VECTORS = 4


def row_width(like: npt.NDArray[Any]) -> int:
    """How many numbers of an array's dtype a row holds, in compiled code too."""
    return VECTORS * registers()[0] // like.itemsize


@overload(row_width)
def _row_width(like):
    width = VECTORS * registers()[0] * 8 // like.dtype.bitwidth
    return lambda like: width


class Row(types.Type):
    """VECTORS * lanes numbers, held in as many registers as VECTORS says."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype, self.lanes = dtype, registers()[0] * 8 // dtype.bitwidth
        super().__init__(f"Row({dtype}, {self.lanes})")


@register_model(Row)
class _RowModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Row) -> None:
        vector = vector_type(fe_type.dtype, fe_type.lanes)
        super().__init__(dmm, fe_type, ir.ArrayType(vector, VECTORS))


@intrinsic
def zero_row(typingctx, like):
    """A row of zeros of the dtype of the array `like`."""
    row = Row(like.dtype)

    def codegen(context, builder, signature, args):
        return ir.Constant(context.get_value_type(row), None)

    return row(like), codegen


@intrinsic
def add_scaled(typingctx, row, scale, panel, p):
    """row + scale * panel[p]: one broadcast, then one multiply-add per register.

    panel: 2-D, contiguous, `row_width` columns, dtype of the row.
    """

    def codegen(context, builder, signature, args):
        sums, scale_value, panel_value, p_value = args
        number = context.cast(builder, scale_value, scale, row.dtype)
        scales = splat(builder, number, row.lanes)
        start = _row_start(context, builder, row, (panel, panel_value), (p, p_value))
        for v in range(VECTORS):
            right = load(builder, start, row.lanes, v)
            total = multiply_add(builder, scales, right, builder.extract_value(sums, v))
            sums = builder.insert_value(sums, total, v)
        return sums

    return row(row, scale, panel, p), codegen


@intrinsic
def store_row(typingctx, row, panel, p):
    """panel[p] = row. The panel is as for `add_scaled`."""

    def codegen(context, builder, signature, args):
        sums, panel_value, p_value = args
        start = _row_start(context, builder, row, (panel, panel_value), (p, p_value))
        for v in range(VECTORS):
            store(builder, builder.extract_value(sums, v), start, v)
        return context.get_dummy_value()

    return types.void(row, panel, p), codegen


def _row_start(context: Any, builder: Any, row: Row, panel: Any, p: Any) -> Any:
    """Address of panel[p]; `panel` and `p` are pairs (Numba type, value)."""
    (panel_type, array), (p_type, number) = panel, p
    place = context.cast(builder, number, p_type, types.intp)
    width = ir.Constant(place.type, VECTORS * row.lanes)
    return element(context, builder, panel_type, array, builder.mul(place, width))
