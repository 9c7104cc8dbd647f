"""Vector registers for compiled kernels: the little that a Numba loop cannot say by itself.

`compile` says how functions are compiled, `registers` what the CPU has; `tiles`, `rows` and
`int8` hold the blocks of numbers that kernels keep in registers.
"""

from tinytorch.core.simd.compile import COMPILING, compiled, packed_instructions
from tinytorch.core.simd.registers import COMPILED_DTYPES, compilable, registers

__all__ = [
    "COMPILED_DTYPES",
    "COMPILING",
    "compilable",
    "compiled",
    "packed_instructions",
    "registers",
]
