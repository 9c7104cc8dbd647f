"""Vector registers for compiled kernels: the little that a Numba loop cannot say by itself.

`compile` says how functions are compiled, `registers` what the CPU has; `tiles`, `rows` and
`int8` hold the blocks of numbers that kernels keep in registers.
"""

from tinytorch.core.simd.compile import COMPILING, compiled, inlined, packed_instructions
from tinytorch.core.simd.registers import COMPILED_DTYPES, compilable, registers

__all__ = [
    "COMPILED_DTYPES",
    "COMPILING",
    "compilable",
    "compiled",
    "inlined",
    "packed_instructions",
    "registers",
]
