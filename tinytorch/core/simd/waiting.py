"""Waiting for another thread without giving the core away: for a few microseconds, not longer."""

from __future__ import annotations

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from tinytorch.core.simd.compile import compiled
from tinytorch.core.simd.registers import array_struct

# What a core does while it waits: x86 PAUSE (about 40 cycles), ARM YIELD.
_X86 = llvm.get_default_triple().startswith(("x86_64", "i686", "amd64"))


@intrinsic
def _read_again(typingctx, flag):
    """flag[0] as it is in memory now, after a short pause. `flag` is a 1-D int64 array."""

    def codegen(context, builder, signature, args):
        if _X86:
            kind = ir.FunctionType(ir.VoidType(), [])
            name, values = "llvm.x86.sse2.pause", []
        else:
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(32)])
            name, values = "llvm.aarch64.hint", [ir.Constant(ir.IntType(32), 1)]
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)
        data = array_struct(context, builder, flag, args[0]).data
        return builder.load_atomic(data, ordering="acquire", align=8)

    return types.int64(flag), codegen


@intrinsic
def _write(typingctx, flag, value):
    """flag[0] = value, after everything that this thread wrote before. `flag` is 1-D int64."""

    def codegen(context, builder, signature, args):
        data = array_struct(context, builder, flag, args[0]).data
        number = context.cast(builder, args[1], value, types.int64)
        builder.store_atomic(number, data, ordering="release", align=8)
        return context.get_dummy_value()

    return types.void(flag, value), codegen


@compiled
def signal_and_spin(signal, flag, value, pauses):
    """signal[0] = 1, then `spin_while`.

    Whoever waits for the signal finds Python's lock free: this thread has given it away before.
    """
    _write(signal, 1)
    return spin_while(flag, value, pauses)


@compiled
def spin_while(flag, value, pauses):
    """Wait until flag[0] differs from value, for `pauses` pauses at most; True if it does."""
    for _ in range(pauses):  # noqa: SIM110 - Numba compiles no generator expressions
        if _read_again(flag) != value:
            return True
    return False
