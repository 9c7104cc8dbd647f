"""A block of a matrix product of int8 levels that stays in vector registers: sums in int32.

Compiled functions make a tile, add dot products to it and store it. Levels come in words of 32
bits, two or four of them, as one instruction of this CPU multiplies and adds them. How matrices
become words is the business of `int8_packing`. Reading is not checked.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

from tinytorch.core.simd.registers import call, cpu_features, element, index, load, splat, store


class Recipe(NamedTuple):
    """How one CPU multiplies int8: what a word holds, and the shape of the tile."""

    lanes: int  # int32 sums in one vector register
    group: int  # levels in a word: four int8, or two widened to int16
    rows: int  # of the tile
    vectors: int  # across it
    dot: str | None  # LLVM's name of the four-way instruction; None: pairs, on any CPU
    offset: int  # added to B's levels, where that instruction wants one operand unsigned


def recipe(features: frozenset[str]) -> Recipe:
    """The widest integer dot product among these CPU features."""
    vnni = "llvm.x86.avx512.vpdpbusd."
    if "avx512bw" in features:
        if "avx512vnni" in features:
            return Recipe(16, 4, 12, 2, vnni + "512", 128)
        return Recipe(16, 2, 12, 2, None, 0)
    if "avx2" in features:
        if "avxvnni" in features or {"avx512vnni", "avx512vl"} <= features:
            return Recipe(8, 4, 6, 2, vnni + "256", 128)
        return Recipe(8, 2, 6, 2, None, 0)
    if "dotprod" in features:
        return Recipe(4, 4, 8, 2, "llvm.aarch64.neon.sdot.v4i32.v16i8", 0)
    return Recipe(4, 2, 4, 2, None, 0)


RECIPE = recipe(cpu_features())


class Tile(types.Type):
    """RECIPE.rows x (RECIPE.vectors * RECIPE.lanes) int32 sums in vector registers."""


@register_model(Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Tile) -> None:
        super().__init__(dmm, fe_type, ir.ArrayType(_vector(32), RECIPE.rows * RECIPE.vectors))


def _vector(bits: int) -> ir.VectorType:
    """A register of integers of this size."""
    return ir.VectorType(ir.IntType(bits), RECIPE.lanes * 32 // bits)


tile_type = Tile("Int8Tile")


@intrinsic
def zero_sums(typingctx):
    """A tile of zeros."""

    def codegen(context, builder, signature, args):
        return ir.Constant(context.get_value_type(tile_type), None)

    return tile_type(), codegen


@intrinsic
def add_dots(typingctx, tile, a, i, b, j):
    """tile + the dot products of the words a[i], a[i + 1], ... with b[j], b[j + 1], ...

    a and b are contiguous: one word of `a` for each row of the tile, one of `b` for each column.
    One instruction per register where the CPU has it: 64 multiply-adds at a time with AVX-512.
    """

    def codegen(context, builder, signature, args):
        sums, a_value, i_value, b_value, j_value = args
        left = element(context, builder, a, a_value, i_value)
        start = element(context, builder, b, b_value, j_value)
        right = [load(builder, start, RECIPE.lanes, v) for v in range(RECIPE.vectors)]
        for row in range(RECIPE.rows):
            word = builder.load(builder.gep(left, [index(row)]))
            words = splat(builder, word, RECIPE.lanes)
            for v in range(RECIPE.vectors):
                at = row * RECIPE.vectors + v
                total = _dot(builder, builder.extract_value(sums, at), words, right[v])
                sums = builder.insert_value(sums, total, at)
        return sums

    return tile_type(tile, a, i, b, j), codegen


@intrinsic
def store_sums(typingctx, tile, target):
    """Write a tile to a contiguous int32 array of its shape."""

    def codegen(context, builder, signature, args):
        data = element(context, builder, target, args[1], index(0))
        for at in range(RECIPE.rows * RECIPE.vectors):
            store(builder, builder.extract_value(args[0], at), data, at)
        return context.get_dummy_value()

    return types.void(tile, target), codegen


def _dot(builder: Any, sums: Any, left: Any, right: Any) -> Any:
    """sums + the dot product of each lane's word in `left` with that in `right`."""
    if RECIPE.dot is None:
        return _add_pairs(builder, sums, left, right)
    if ".neon." in RECIPE.dot:
        left, right = (builder.bitcast(x, _vector(8)) for x in (left, right))
    # On x86 the unsigned operand, B's, comes first; ARM takes two signed ones in either order.
    return call(builder, RECIPE.dot, sums.type, [sums, right, left])


def _add_pairs(builder: Any, sums: Any, left: Any, right: Any) -> Any:
    """sums + left[0] * right[0] + left[1] * right[1] for words of two int16.

    LLVM has no name for this on every CPU: these lines are how it recognizes one instruction
    (vpmaddwd, with VNNI vpdpwssd). In scalar loops it does not.
    """
    pairs, wide = _vector(16), ir.VectorType(ir.IntType(32), 2 * RECIPE.lanes)
    left, right = (builder.sext(builder.bitcast(x, pairs), wide) for x in (left, right))
    products, nothing = builder.mul(left, right), ir.Constant(wide, ir.Undefined)
    even, odd = (
        builder.shuffle_vector(
            products, nothing, ir.Constant(sums.type, list(range(first, 2 * RECIPE.lanes, 2)))
        )
        for first in (0, 1)
    )
    return builder.add(sums, builder.add(even, odd))
