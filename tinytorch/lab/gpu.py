"""A GPU of plain Python: grid, blocks, threads, shared memory, a barrier, and counters.

Kernels are written as for `numba.cuda`, and the same source runs there where a GPU is present.
Here it is slow on purpose: it shows how often memory is touched, not how fast it is.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections import Counter
from collections.abc import Callable
from types import FunctionType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

Kernel = Callable[..., None]

cuda: Any = SimpleNamespace()  # whatever a kernel calls `cuda` is filled in by its launch


class Index(NamedTuple):
    """A place in a grid or a block, or the size of one."""

    x: int
    y: int = 1


class Memory:
    """An array of which the running thread reads and writes single elements, and is counted."""

    def __init__(self, gpu: Gpu, values: np.ndarray, space: str) -> None:
        self._gpu, self._values, self._space, self.shape = gpu, values, space, values.shape

    def __getitem__(self, at: Any) -> Any:
        return self._values[self._place(at, "reads")]

    def __setitem__(self, at: Any, value: Any) -> None:
        self._values[self._place(at, "writes")] = value

    def _place(self, at: Any, what: str) -> tuple[int, ...]:
        place, gpu = at if isinstance(at, tuple) else (at,), self._gpu
        thread = gpu.blockIdx, gpu.threadIdx
        inside = (0 <= i < size for i, size in zip(place, self.shape, strict=False))
        # A GPU does not check: it would read or overwrite what lies beside the array.
        if len(place) != len(self.shape) or not all(inside):
            raise IndexError(
                f"thread {tuple(thread[1])} of block {tuple(thread[0])} used index "
                f"{', '.join(map(str, place))} of an array of shape {self.shape}"
            )
        gpu.counts[f"{self._space} {what}"][thread] += 1
        return place


class Gpu:
    """What a kernel calls `cuda`. One simulated thread runs at a time."""

    def __init__(self, grid: Index, block: Index) -> None:
        self.gridDim, self.blockDim = grid, block
        self.blockIdx = self.threadIdx = Index(0, 0)
        self.shared = SimpleNamespace(array=self._shared_array)
        spaces = itertools.product(("global", "shared"), ("reads", "writes"))
        self.counts: dict[str, Counter[Any]] = {" ".join(names): Counter() for names in spaces}

    def run_block(self, kernel: Callable[..., Any], arguments: list[Any]) -> None:
        """All threads of one block, in turns: each runs to its next barrier, or to its end."""
        self._arrays: list[Memory] = []
        places = itertools.product(range(self.blockDim.y), range(self.blockDim.x))
        threads = [(Index(x, y), kernel(*arguments)) for y, x in places]
        while threads:
            waiting = []
            for self.threadIdx, thread in threads:
                self._asked = 0
                if next(thread, "ended") != "ended":
                    waiting.append((self.threadIdx, thread))
            if 0 < len(waiting) < len(threads):
                raise RuntimeError(
                    f"only {len(waiting)} of {len(threads)} threads came to a barrier: "
                    "syncthreads must not stand in a branch or after a return"
                )
            threads = waiting

    def grid(self, dimensions: int) -> Any:
        """The thread's place in the whole grid: x, or (x, y)."""
        x = self.blockIdx.x * self.blockDim.x + self.threadIdx.x
        y = self.blockIdx.y * self.blockDim.y + self.threadIdx.y
        return x if dimensions == 1 else (x, y)

    def syncthreads(self) -> None:
        """Never called: `_with_turns` has replaced it."""
        raise RuntimeError("cuda.syncthreads() must be a line of the kernel itself")

    def _shared_array(self, shape: Any, dtype: Any) -> Memory:
        """The block's array: the first thread that asks makes it, the others get the same."""
        if self._asked == len(self._arrays):
            values = np.empty(shape, dtype)
            values.fill(np.nan if values.dtype.kind == "f" else -1)  # as useless as a GPU's
            self._arrays.append(Memory(self, values, "shared"))
        self._asked += 1
        return self._arrays[self._asked - 1]


def launch(
    kernel: Kernel, grid: tuple[int, ...], block: tuple[int, ...], *arguments: Any
) -> dict[str, Counter[Any]]:
    """Run `kernel` in grid (x, y) blocks of block (x, y) threads; returns what they touched.

    arguments: ndarrays are global memory, which the kernel may write; the rest is passed on.
    Result: "global reads", "global writes", "shared reads", "shared writes", each a Counter by
    (block, thread). The threads of a block take turns in order, so a forgotten barrier gives the
    same wrong answer every time. RuntimeError for a barrier that only some threads reach;
    IndexError for an element outside its array.
    """
    gpu = Gpu(Index(*grid), Index(*block))
    memory = [Memory(gpu, a, "global") if isinstance(a, np.ndarray) else a for a in arguments]
    body = _with_turns(kernel, gpu)
    for y, x in itertools.product(range(gpu.gridDim.y), range(gpu.gridDim.x)):
        gpu.blockIdx = Index(x, y)
        gpu.run_block(body, memory)
    return gpu.counts


class _BarrierToYield(ast.NodeTransformer):
    """Each line `cuda.syncthreads()` as `yield`: there a thread gives its turn to the next."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        """The line itself, or `yield` in its place."""
        if ast.unparse(node) == "cuda.syncthreads()":
            return ast.copy_location(ast.Expr(ast.Yield()), node)
        return node


def _with_turns(kernel: Kernel, gpu: Gpu) -> Callable[..., Any]:
    """The kernel as a generator function whose `cuda` is this GPU."""
    lines, first = inspect.getsourcelines(kernel)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    function: Any = _BarrierToYield().visit(tree).body[0]
    function.decorator_list = []
    function.body += ast.parse("if False: yield").body  # a kernel without barriers takes turns too
    ast.increment_lineno(ast.fix_missing_locations(tree), first - 1)
    names = {**_names(kernel), "cuda": gpu}
    exec(compile(tree, inspect.getfile(kernel), "exec"), names)
    return names[kernel.__name__]


def _names(kernel: Kernel) -> dict[str, Any]:
    """What the names in a kernel's body stand for."""
    return {**kernel.__globals__, **inspect.getclosurevars(kernel).nonlocals}


def launch_on_gpu(
    kernel: Kernel, grid: tuple[int, ...], block: tuple[int, ...], *arguments: Any
) -> bool:
    """The same launch through `numba.cuda`; False, and nothing done, where there is no GPU."""
    try:
        from numba import cuda as device

        if not device.is_available():
            return False
    except ImportError:
        return False
    names = {**kernel.__globals__, "cuda": device}
    code = FunctionType(kernel.__code__, names, kernel.__name__, None, kernel.__closure__)
    device.jit(code)[grid, block](*arguments)
    device.synchronize()
    return True
