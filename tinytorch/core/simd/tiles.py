"""A block of a matrix product that stays in vector registers: float32 and float64.

Compiled functions make a tile, add outer products to it, finish it and store it. How many
registers, and how wide, is decided here for the CPU that Numba compiles for. Nothing in this
module knows what is being computed. Indices count from zero; reading is not checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

from tinytorch.core.simd.registers import (
    array_struct,
    element,
    index,
    load,
    multiply_add,
    registers,
    splat,
    store,
    vector_type,
)

_VECTORS = 2  # side by side in a tile


class Tile(types.Type):
    """rows x (vectors * lanes) numbers, held in rows * vectors registers."""

    def __init__(self, dtype: types.Float, rows: int, vectors: int, lanes: int) -> None:
        self.dtype, self.rows, self.vectors, self.lanes = dtype, rows, vectors, lanes
        super().__init__(f"Tile({dtype}, {rows}, {vectors}, {lanes})")


@register_model(Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Tile) -> None:
        vector = vector_type(fe_type.dtype, fe_type.lanes)
        super().__init__(dmm, fe_type, ir.ArrayType(vector, fe_type.rows * fe_type.vectors))


def tile_type(like: Any) -> Tile:
    """The register tile for arrays like `like`."""
    width, count = registers()
    return Tile(like.dtype, _rows(count), _VECTORS, width * 8 // like.dtype.bitwidth)


def _rows(registers: int) -> int:
    """Rows of a tile: beside its sums there is room for two vectors of B and a number of A."""
    return 12 if registers == 32 else 6


def tile_shape(like: npt.NDArray[Any]) -> tuple[int, int]:
    """(rows, columns) of the tile for arrays like `like`; constants in compiled code."""
    width, count = registers()
    return _rows(count), _VECTORS * width // like.itemsize


@overload(tile_shape)
def _tile_shape(like):
    tile = tile_type(like)
    shape = tile.rows, tile.vectors * tile.lanes
    return lambda like: shape


@intrinsic
def zero_tile(typingctx, like):
    """A tile of zeros for arrays like `like`."""
    tile = tile_type(like)

    def codegen(context, builder, signature, args):
        return ir.Constant(context.get_value_type(tile), None)

    return tile(like), codegen


@intrinsic
def add_outer(typingctx, tile, a, i, stride, b, j):
    """tile + outer(a[i], a[i + stride], ... ; b[j : j + columns]), one multiply-add per register.

    a and b are contiguous. This is what keeps the sums in registers.
    """

    def codegen(context, builder, signature, args):
        values, a_value, i_value, stride_value, b_value, j_value = args
        left = element(context, builder, a, a_value, i_value)
        start = element(context, builder, b, b_value, j_value)
        right = [load(builder, start, tile.lanes, v) for v in range(tile.vectors)]
        for row in range(tile.rows):
            offset = builder.mul(stride_value, ir.Constant(stride_value.type, row))
            number = splat(builder, builder.load(builder.gep(left, [offset])), tile.lanes)
            for v in range(tile.vectors):
                at = row * tile.vectors + v
                sums = multiply_add(builder, number, right[v], builder.extract_value(values, at))
                values = builder.insert_value(values, sums, at)
        return values

    return tile(tile, a, i, stride, b, j), codegen


@intrinsic
def add_row(typingctx, tile, row, j):
    """tile + row[j : j + columns], the same for every row of the tile. `row` is contiguous."""

    def codegen(context, builder, signature, args):
        values, row_value, j_value = args
        start = element(context, builder, row, row_value, j_value)
        right = [load(builder, start, tile.lanes, v) for v in range(tile.vectors)]
        return _each(builder, tile, values, lambda vector, row, v: builder.fadd(vector, right[v]))

    return tile(tile, row, j), codegen


@intrinsic
def relu_tile(typingctx, tile):
    """max(x, 0) of every number in the tile; NaN stays NaN."""

    def codegen(context, builder, signature, args):
        def relu(vector, row, v):
            zero = ir.Constant(vector.type, None)
            return builder.select(builder.fcmp_ordered("<", vector, zero), zero, vector)

        return _each(builder, tile, args[0], relu)

    return tile(tile), codegen


@intrinsic
def add_tile(typingctx, tile, C, i, j):
    """tile + C[i : i + rows, j : j + columns]; what lies beyond C counts as zero.

    The rows of C are contiguous.
    """

    def codegen(context, builder, signature, args):
        window = _Window(context, builder, tile, C, *args[1:])
        with builder.if_then(window.juts_out, likely=False):
            builder.store(ir.Constant(window.room.type.pointee, None), window.room)
            window.each_inside(lambda inside, room: builder.store(builder.load(inside), room))

        def add(vector, row, v):
            return builder.fadd(vector, load(builder, window.row(row), tile.lanes, v))

        return _each(builder, tile, args[0], add)

    return tile(tile, C, i, j), codegen


@intrinsic
def store_tile(typingctx, tile, C, i, j):
    """C[i : i + rows, j : j + columns] = tile, as far as C goes. Its rows are contiguous."""

    def codegen(context, builder, signature, args):
        window = _Window(context, builder, tile, C, *args[1:])
        for row in range(tile.rows):
            for v in range(tile.vectors):
                vector = builder.extract_value(args[0], row * tile.vectors + v)
                store(builder, vector, window.row(row), v)
        with builder.if_then(window.juts_out, likely=False):
            window.each_inside(lambda inside, room: builder.store(builder.load(room), inside))
        return context.get_dummy_value()

    return types.void(tile, C, i, j), codegen


class _Window:
    """C[i : i + rows, j : j + columns] in memory or, where that juts out of C, room beside it."""

    def __init__(self, context, builder, tile, kind, value, i, j) -> None:
        array = array_struct(context, builder, kind, value)
        shape = cgutils.unpack_tuple(builder, array.shape, 2)
        self.builder, self.tile = builder, tile
        self.columns = tile.vectors * tile.lanes
        # The room is a row of tile rows: as if the stride were that of the tile itself.
        self.room = cgutils.alloca_once(
            builder, ir.ArrayType(array.data.type.pointee, tile.rows * self.columns)
        )
        self.inside = [builder.sub(shape[0], i), builder.sub(shape[1], j)]
        self.juts_out = builder.or_(
            builder.icmp_signed("<", self.inside[0], index(tile.rows)),
            builder.icmp_signed("<", self.inside[1], index(self.columns)),
        )
        self.stride = cgutils.unpack_tuple(builder, array.strides, 2)[0]
        self.first = _at_row(builder, builder.gep(array.data, [j]), i, self.stride)
        own = index(self.columns * tile.dtype.bitwidth // 8)
        room = builder.bitcast(self.room, self.first.type)
        self._start = builder.select(self.juts_out, room, self.first)
        self._step = builder.select(self.juts_out, own, self.stride)

    def row(self, row: int) -> Any:
        """Address of a row of the window."""
        return _at_row(self.builder, self._start, index(row), self._step)

    def each_inside(self, action: Callable[[Any, Any], Any]) -> None:
        """action(address in C, address in the room) for each element that both have."""
        builder = self.builder
        sizes = (index(self.tile.rows), index(self.columns))
        height, width = (
            builder.select(builder.icmp_signed("<", left, size), left, size)
            for left, size in zip(self.inside, sizes, strict=True)
        )
        with cgutils.for_range(builder, height) as r, cgutils.for_range(builder, width) as c:
            inside = builder.gep(_at_row(builder, self.first, r.index, self.stride), [c.index])
            at = builder.add(builder.mul(r.index, index(self.columns)), c.index)
            action(inside, builder.gep(self.room, [index(0), at]))


@intrinsic
def copy_row(typingctx, target, at, source, i, j):
    """target[at : at + columns] = source[i, j : j + columns], as many columns as a tile has.

    target is 1-D and contiguous, source any 2-D array. Two vector moves where its rows are
    contiguous and of the same dtype (0.3 ns a number, by a Numba loop 0.8), else one by one.
    """
    tile = tile_type(target)

    def codegen(context, builder, signature, args):
        target_value, at_value, source_value, i_value, j_value = args
        out = element(context, builder, target, target_value, at_value)
        array = array_struct(context, builder, source, source_value)
        if source.layout == "C" and source.dtype == target.dtype:
            start = cgutils.get_item_pointer(context, builder, source, array, [i_value, j_value])
            for v in range(tile.vectors):
                store(builder, load(builder, start, tile.lanes, v), out, v)
            return context.get_dummy_value()
        for column in range(tile.vectors * tile.lanes):
            place = [i_value, builder.add(j_value, index(column))]
            pointer = cgutils.get_item_pointer(context, builder, source, array, place)
            number = context.unpack_value(builder, source.dtype, pointer)
            number = context.cast(builder, number, source.dtype, target.dtype)
            builder.store(number, builder.gep(out, [index(column)]))
        return context.get_dummy_value()

    return types.void(target, at, source, i, j), codegen


def _each(builder: Any, tile: Tile, values: Any, function: Callable[..., Any]) -> Any:
    """The tile with function(vector, row, place in the row) of each of its vectors."""
    for at in range(tile.rows * tile.vectors):
        vector = function(builder.extract_value(values, at), *divmod(at, tile.vectors))
        values = builder.insert_value(values, vector, at)
    return values


def _at_row(builder: Any, pointer: Any, row: Any, stride: Any) -> Any:
    """The address `row` strides of bytes further on."""
    start = builder.bitcast(pointer, ir.IntType(8).as_pointer())
    return builder.bitcast(builder.gep(start, [builder.mul(row, stride)]), pointer.type)
