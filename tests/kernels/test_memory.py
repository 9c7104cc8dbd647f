"""Peak memory of every kernel: its output, a workspace with a stated bound, and nothing else.

tracemalloc sees what NumPy and Python allocate, not what compiled code does by itself. A kernel's
row below holds inputs large enough that a copy of one of them would break its bound.
"""

import threading
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from tinytorch.core import kernels
from tinytorch.core.layers import matmul
from tinytorch.core.tensor import Tensor

KIB, MIB = 2**10, 2**20
CEILING = 64 * MIB  # no kernel may use more beside its output
# Python objects, and the buffers of 8,192 elements in which NumPy converts dtypes.
CALL = 512 * KIB


class Case(NamedTuple):
    """One call of a kernel, and the bytes beside its output that it may hold at its peak."""

    kernel: str
    note: str
    args: tuple[Any, ...]
    stated: int


def ones(*shape: int, dtype: str = "f4") -> np.ndarray:
    return np.ones(shape, dtype)


def output_bytes(result: Any) -> int:
    if isinstance(result, dict):
        return sum(output_bytes(value) for value in result.values())
    return result.nbytes


def workspace(kernel: Callable[..., Any], *args: Any) -> int:
    """Bytes that a call holds at its peak beside its output."""
    kernel(*args)  # compiles and imports what it needs
    tracemalloc.start()
    try:
        result = kernel(*args)
        return tracemalloc.get_traced_memory()[1] - output_bytes(result)
    finally:
        tracemalloc.stop()


FLAT, STRIDED = ones(MIB), ones(1024, 2048)[::2, ::2]
SWAPPED, MIXED = ones(MIB, dtype=">f8"), ones(MIB, dtype="f8")
SQUARE, LEVELS = ones(1024, 1024), ones(1024, 1024, dtype="i1")
TILES = 2 * 64**2  # elements of the two buffers at block_size 64
CASES = [
    Case("matmul_baseline", "", (ones(1200, 900), ones(900, 1100)), CALL),
    Case("matmul_baseline", "transposed", (ones(900, 1200).T, ones(900, 1100)), CALL),
    Case("vectorized_relu", "", (FLAT,), CALL),
    Case("vectorized_relu", "Tensor", (Tensor(FLAT),), CALL),
    Case("vectorized_relu", "int32", (ones(MIB, dtype="i4"),), CALL),
    Case("vectorized_relu", "strided", (STRIDED,), CALL),
    Case("vectorized_relu", "byte-swapped", (SWAPPED,), CALL),
    Case("vectorized_operations", "", (FLAT, FLAT), CALL),
    Case("vectorized_operations", "float32 with float64", (FLAT, MIXED), CALL),
    Case("vectorized_operations", "strided", (STRIDED, STRIDED), CALL),
    Case("vectorized_operations", "bool", (FLAT > 0, FLAT > 1), CALL),
    Case("cache_friendly_matmul", "", (SQUARE, SQUARE, 64), TILES * 4 + CALL),
    Case("cache_friendly_matmul", "mixed", (SQUARE, SQUARE.astype("f8"), 64), TILES * 16 + CALL),
    Case("cache_friendly_matmul", "huge", (ones(16, MIB), ones(MIB, 16), 10**9), CALL),
    Case("cache_friendly_matmul", "large", (ones(1500, 2100), ones(2100, 1500), 2000), 10 * MIB),
    Case("parallel_relu", "", (FLAT, 2), CALL),
    Case("parallel_relu", "strided", (STRIDED, 4), MIB),
    Case("parallel_relu", "byte-swapped", (SWAPPED, 4), MIB),
    Case("quantized_matmul", "float32", (SQUARE, SQUARE, 0.5, 0.5), 28 * MIB),
    Case("quantized_matmul", "int8", (LEVELS, LEVELS), 28 * MIB),
    Case("quantized_matmul", "long", (ones(64, 10**5), ones(10**5, 64), 0.5, 0.5), 28 * MIB),
    Case("quantized_relu", "float32", (ones(9 * MIB), 0.5), 8 * MIB),
    Case("quantized_relu", "int8", (ones(9 * MIB, dtype="i1"), 0.5), 8 * MIB),
    Case("compiled_relu", "", (FLAT,), CALL),
    Case("compiled_relu", "strided", (STRIDED,), CEILING),
    Case("compiled_matmul", "", (SQUARE, SQUARE), CEILING),
    Case("fused_linear_relu", "", (SQUARE, SQUARE, ones(1024)), CEILING),
    Case("sparse_matmul", "", (SQUARE, np.eye(1024, dtype="f4")), CEILING),
    Case("compiled_quantized_matmul", "int8", (LEVELS, LEVELS), CEILING),
    Case("compiled_quantized_matmul", "float32", (SQUARE, SQUARE, 0.5, 0.5), CEILING),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kernel}-{case.note}")
def test_a_kernel_holds_its_output_and_the_workspace_that_is_stated(case):
    assert case.stated <= CEILING
    assert workspace(getattr(kernels, case.kernel), *case.args) <= case.stated


def test_every_kernel_that_returns_tensors_has_a_bound():
    callers = {"parallel_batch_processing", "SimpleProfiler"}  # they run what they are given
    assert {case.kernel for case in CASES} == set(kernels.__all__) - callers


# Operands that NumPy copies whole before it multiplies: of another dtype, or with rows that are
# reversed, overlap, are spread out or not aligned. Each copy takes 73 MiB or more.
LONG = 2_400_000


def _unaligned(rows: int, columns: int) -> np.ndarray:
    raw = np.ones(4 * rows * columns + 1, np.uint8)
    return raw[1:].view(np.float32).reshape(rows, columns)


COPIED = {
    "float32 by float64": lambda: (ones(LONG, 8), ones(8, 2, dtype="f8")),
    "float64 by float32": lambda: (ones(2, 8, dtype="f8"), ones(8, LONG)),
    "a long sum": lambda: (ones(2, 5 * LONG), ones(5 * LONG, 2, dtype="f8")),
    "spread out": lambda: (ones(LONG, 16)[:, ::2], ones(8, 2)),
    "reversed": lambda: (ones(LONG, 8)[::-1], ones(8, 2)),
    "unaligned": lambda: (_unaligned(LONG, 8), ones(8, 2)),
    "byte-swapped": lambda: (ones(LONG, 8, dtype=">f4"), ones(8, 2)),
    "windows": lambda: (np.lib.stride_tricks.sliding_window_view(ones(LONG), 8), ones(8, 2)),
}


@pytest.mark.parametrize("operands", COPIED.values(), ids=COPIED)
def test_a_product_never_copies_a_large_operand_whole(operands):
    assert workspace(matmul, *operands()) <= 48 * MIB


FRESH = {
    "relu": lambda x: kernels.compiled_relu(x),
    "parallel relu": lambda x: kernels.parallel_relu(x, 2),
    "product": lambda x: kernels.compiled_matmul(x, x, 2),
    "layer": lambda x: kernels.fused_linear_relu(x, x, x[0].copy(), 2),
    "sparse": lambda x: kernels.sparse_matmul(x, x, 2),
    "int8": lambda x: kernels.compiled_quantized_matmul(x, x, 0.5, 0.5, 2),
    "quantized": lambda x: kernels.quantized_matmul(x, x, 0.5, 0.5),
    "quantized relu": lambda x: kernels.quantized_relu(x, 0.5),
}


@pytest.mark.parametrize("call", FRESH.values(), ids=FRESH)
def test_a_kernel_keeps_neither_its_input_nor_its_output(call):
    x = ones(300, 300)
    result = call(x).data
    kept = weakref.ref(x), weakref.ref(result)
    del x, result
    # A helper thread may be some lines behind its caller; what is kept for good stays all the same.
    patience = threading.Event()
    for _ in range(500):
        if all(array() is None for array in kept):
            break
        patience.wait(0.01)
    assert all(array() is None for array in kept)
