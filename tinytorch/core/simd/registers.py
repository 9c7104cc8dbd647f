"""The vector registers of the CPU that Numba compiles for, and how to load, fill and store them.

The vocabulary of the other modules in this folder, in LLVM's terms; no kernel uses it directly.
"""

from __future__ import annotations

import functools
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from tinytorch.core.simd.compile import COMPILING

#: What compiled kernels are written for; nothing under NUMBA_DISABLE_JIT=1, when a kernel's loop
#: would run as plain Python.
COMPILED_DTYPES = (np.dtype(np.float32), np.dtype(np.float64)) if COMPILING else ()


@functools.cache
def cpu_features() -> frozenset[str]:
    """Names of what the target CPU can do, as LLVM spells them: "avx2", "neon", ..."""
    names = numba.config.CPU_FEATURES  # set by the user, to compile for another CPU
    if names is None:
        names = llvm.get_host_cpu_features().flatten()
    return frozenset(name[1:] for name in names.split(",") if name.startswith("+"))


@functools.cache
def registers() -> tuple[int, int]:
    """Bytes in a vector register, and how many registers there are, on the target CPU."""
    for feature, width, count in (("avx512f", 64, 32), ("avx", 32, 16), ("neon", 16, 32)):
        if feature in cpu_features():
            return width, count
    # Every 64-bit ARM has NEON, also where LLVM cannot list the features.
    return (16, 32) if llvm.get_default_triple().startswith(("aarch64", "arm64")) else (16, 16)


def compilable(*arrays: np.ndarray) -> bool:
    """Whether compiled kernels take these arrays: all of COMPILED_DTYPES, in native byte order."""
    return all(array.dtype in COMPILED_DTYPES for array in arrays)


def index(value: int) -> ir.Constant:
    """A constant of the size of an array index."""
    return ir.Constant(ir.IntType(64), value)


def vector_type(dtype: types.Type, lanes: int) -> ir.VectorType:
    """`lanes` numbers of a Numba float or integer type."""
    if isinstance(dtype, types.Float):
        number = ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType()
    else:
        number = ir.IntType(dtype.bitwidth)
    return ir.VectorType(number, lanes)


def load(builder: Any, pointer: Any, lanes: int, v: int = 0) -> Any:
    """The v-th vector of `lanes` numbers from an address on, wherever that lies."""
    vector = ir.VectorType(pointer.type.pointee, lanes)
    at = builder.bitcast(builder.gep(pointer, [index(v * lanes)]), vector.as_pointer())
    return builder.load(at, align=_bytes(pointer.type.pointee))


def store(builder: Any, vector: Any, pointer: Any, v: int = 0) -> None:
    """Write a vector as the v-th one from an address on."""
    at = builder.gep(pointer, [index(v * vector.type.count)])
    at = builder.bitcast(at, vector.type.as_pointer())
    builder.store(vector, at, align=_bytes(pointer.type.pointee))


def _bytes(number: Any) -> int:
    """Size of one number: the alignment that any address of an array has."""
    if isinstance(number, ir.IntType):
        return number.width // 8
    return 4 if number == ir.FloatType() else 8


def splat(builder: Any, number: Any, lanes: int) -> Any:
    """One number in every lane."""
    word, empty = ir.IntType(32), ir.Constant(ir.VectorType(number.type, lanes), ir.Undefined)
    one = builder.insert_element(empty, number, ir.Constant(word, 0))
    return builder.shuffle_vector(one, empty, ir.Constant(ir.VectorType(word, lanes), [0] * lanes))


def multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c of float vectors: one instruction where the CPU has it, else two."""
    suffix = "f32" if a.type.element == ir.FloatType() else "f64"
    return call(builder, f"llvm.fmuladd.v{a.type.count}{suffix}", a.type, [a, b, c])


def call(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    """A call of one of LLVM's own functions, which stand for instructions."""
    kind = ir.FunctionType(result, [value.type for value in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def array_struct(context: Any, builder: Any, kind: types.Array, value: Any) -> Any:
    """The parts of an array: data, shape, strides."""
    return context.make_array(kind)(context, builder, value)


def element(context: Any, builder: Any, kind: types.Array, value: Any, at: Any) -> Any:
    """Address of element `at` of a contiguous array, counted in the order of memory."""
    return builder.gep(array_struct(context, builder, kind, value).data, [at])
