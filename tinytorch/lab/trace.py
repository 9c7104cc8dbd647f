"""The memory trace of a kernel: which elements it touches, in what order, how many at a time.

Deterministic, so lessons and tests say the same on every machine. How the accesses are seen is
in `recording`; what a cache makes of them is in `cache_model`, pictures are in `trace_plots`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_uppercase
from typing import Any, NamedTuple

import numpy as np

from tinytorch.core.tensor import Tensor, positive_int
from tinytorch.lab.callables import namespace, python_form
from tinytorch.lab.recording import watched
from tinytorch.lab.tape import Tape, decode
from tinytorch.lab.watching import stripped, watching

WORKSPACE = "workspace"


class Layout(NamedTuple):
    """How one array of a trace lies in its memory: all but the shape in elements.

    size: the whole memory. start: where the array's first element lies in it, other than 0 only
    where a kernel returns a part of what it allocated.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    size: int
    start: int = 0


class Step(NamedTuple):
    """One operation on slices or whole arrays: the accesses from start to stop.

    kind: "elementwise" (operands side by side), "copy" (one operand once through, written
    elsewhere or summed up), or "product", any other of several operands: each is counted once,
    one after the other, though a real product reads its operands again and again.
    """

    name: str
    kind: str
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Trace:
    """What a kernel touched, one entry an access.

    arrays: name -> `Layout`, in the order of the ids. ids (n,): which array. elements (n,): which
    of its elements, counted in memory order. writes (n,): bool.
    steps: the operations on slices, in order; single element accesses belong to none.
    result: what the kernel returned.
    """

    arrays: dict[str, Layout]
    ids: np.ndarray
    elements: np.ndarray
    writes: np.ndarray
    steps: list[Step]
    result: Any = None

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def from_accesses(
        cls, shapes: Mapping[str, tuple[int, ...]], accesses: Iterable[tuple[Any, ...]]
    ) -> Trace:
        """A trace written by hand, or seen elsewhere.

        shapes: name -> shape of a row-major array. accesses: (name, elements) or (name, elements,
        is_write); elements is one index or a sequence, which is then a step of its own.
        ValueError for an unknown name or an element outside its array.
        """
        layouts = {name: _row_major(shape) for name, shape in shapes.items()}
        number = {name: i for i, name in enumerate(layouts)}
        ids: list[int] = []
        elements: list[int] = []
        writes: list[bool] = []
        steps: list[Step] = []
        for name, touched, *write in accesses:
            if name not in layouts:
                raise ValueError(f"accesses name {name!r}, shapes only {', '.join(layouts)}")
            one = np.ravel(touched)
            if one.size and (one.min() < 0 or one.max() >= layouts[name].size):
                raise ValueError(
                    f"{name} has {layouts[name].size} elements, got an access to {touched}"
                )
            if np.ndim(touched):
                steps.append(Step("access", "product", len(ids), len(ids) + one.size))
            ids += [number[name]] * one.size
            elements += one.tolist()
            writes += [bool(write and write[0])] * one.size
        columns = np.array(ids, np.int64), np.array(elements, np.int64), np.array(writes, bool)
        return cls(layouts, *columns, steps)

    @cached_property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Name -> (reads, writes)."""
        pairs = np.bincount(2 * self.ids + self.writes, minlength=2 * len(self.arrays))
        return {name: (int(pairs[2 * i]), int(pairs[2 * i + 1]))
                for i, name in enumerate(self.arrays)}  # fmt: skip

    @property
    def untouched(self) -> list[str]:
        """The arrays that were never seen in use: not read, or read where no trace reaches."""
        return [name for name, pair in self.counts.items() if pair == (0, 0)]

    def only(self, *names: str) -> Trace:
        """The accesses to these arrays; ValueError for a name that the trace does not have."""
        for name in names:
            if name not in self.arrays:
                raise ValueError(f"the trace has no {name!r}, only {', '.join(self.arrays)}")
        number = {name: i for i, name in enumerate(self.arrays)}
        kept = np.isin(self.ids, [number[name] for name in names])
        before = np.concatenate([[0], np.cumsum(kept)])
        steps = [s._replace(start=int(before[s.start]), stop=int(before[s.stop]))
                 for s in self.steps]  # fmt: skip
        steps = [step for step in steps if step.start < step.stop]
        columns = self.ids[kept], self.elements[kept], self.writes[kept]
        return Trace(self.arrays, *columns, steps, self.result)

    def per_element(self, name: str, weights: np.ndarray | None = None) -> np.ndarray:
        """How often each element of an array was touched, in the array's own shape.

        weights (n,): what each access adds, by default 1.
        """
        layout = self.arrays[name]
        mine = self.ids == list(self.arrays).index(name)
        added = None if weights is None else weights[mine]
        totals = np.bincount(self.elements[mine], added, minlength=layout.size)
        return totals[self.places(name)]

    def places(self, name: str) -> np.ndarray:
        """For each element of an array, in the array's own shape, where it lies in memory."""
        layout = self.arrays[name]
        where = np.array(layout.start, np.int64)
        for length, stride in zip(layout.shape, layout.strides, strict=True):
            where = np.add.outer(where, np.arange(length) * stride)
        return where


def trace(
    kernel: Callable[..., Any], *arguments: Any, names: Sequence[str] | None = None, **options: Any
) -> Trace:
    """Run `kernel(*arguments, **options)` and write down every access to its arrays.

    ndarrays and Tensors among the arguments are traced, anything else is passed on. Each is laid
    out by itself, in its own memory order; what the kernel writes into one is there afterwards.
    names: what to call them, by default as the kernel's parameters. The array that the kernel
    returns is "C" (or "result", if C is taken; of a dict, its keys); all other arrays that it
    allocates, and intermediate results, share "workspace".

    Seen: elements read and written one by one; operators, ufuncs, np.dot, einsum and other NumPy
    functions, copies, `out=`; views count when they are used. An operation is one step: each
    operand once, in row-major order, elementwise ones side by side. Compiled (Numba) functions
    run as the Python they were made from. Arrays are seen that the kernel's own module allocates
    by zeros, empty, ones or full, and any other once it meets a traced one in an operation.

    A trace takes about 8 bytes an access while it runs, 17 afterwards: matrices of some tens of
    rows are enough to see a pattern.

    Not seen: what an array is filled with at its allocation; scalars once they are read;
    np.nditer, memoryviews, pickles and code in C or compiled in other modules. Threads are
    written down in the order in which they ran, which differs from run to run.

    TypeError without an array to trace, ValueError for names that do not fit. What the kernel
    raises, propagates; that is NotImplementedError from Numba where a compiled kernel works on
    vector registers (intrinsics), which have no Python form.
    """
    if not callable(kernel):
        raise TypeError(f"trace needs a function to run, got {type(kernel).__name__}")
    function, tape = python_form(kernel), Tape()
    given = [*arguments, *options.values()]
    sources = [_values(x) for x in given if _is_array(x)]
    if not sources:
        kinds = ", ".join(type(x).__name__ for x in given) or "nothing"
        raise TypeError(f"trace needs an ndarray or a Tensor among the arguments, got {kinds}")
    called = _names(function, arguments, options) if names is None else tuple(names)
    _check_names(called, len(sources))
    copies = [np.array(x, order="K") for x in sources]
    for source, copy in zip(sources, copies, strict=True):
        copy.flags.writeable = source.flags.writeable
    for copy in copies:
        tape.register(copy, workspace=False)
    held = iter([watched(tape, copy) for copy in copies])
    passed = [_passed(x, held) for x in arguments]
    passed_options = {name: _passed(x, held) for name, x in options.items()}
    try:
        with watching(tape, namespace(function)):
            returned = function(*passed, **passed_options)
    finally:
        for number in np.unique(_written(tape)):
            if number < len(sources):
                np.copyto(sources[number], copies[number])
    results = _result_blocks(tape, returned, called)
    return _finished(tape, dict(zip(called, copies, strict=True)), results, stripped(returned))


def working_set(trace: Trace, window: int | None = None) -> np.ndarray:
    """Distinct elements touched in each step, one entry for each of `trace.steps`.

    A step is one operation (a product of two tiles, an addition into a tile); elements that were
    accessed one by one are left out. Of a blocked product, no operation touches more than
    3 * block_size**2 elements, but for copies of whole matrices beforehand (`kind` tells).
    window: steps of so many accesses each instead, the last of which may be shorter. Of scalar
    loops over tiles, with C updated in the innermost one, a window of 4 * block_size**3 is a tile
    where block_size divides the sizes.
    """
    if window is None:
        bounds = [(step.start, step.stop) for step in trace.steps]
    else:
        width = positive_int("window", window)
        bounds = [(i, min(i + width, len(trace))) for i in range(0, len(trace), width)]
    bits = max((layout.size for layout in trace.arrays.values()), default=1).bit_length()
    places = trace.ids << bits | trace.elements
    return np.array([np.unique(places[i:j]).size for i, j in bounds], np.int64)


def _row_major(shape: tuple[int, ...]) -> Layout:
    return _layout(np.empty(shape, np.int8))


def _layout(values: np.ndarray) -> Layout:
    strides = tuple(s // values.itemsize for s in values.strides)
    return Layout(values.shape, strides, values.size)


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray | Tensor)


def _values(x: np.ndarray | Tensor) -> np.ndarray:
    return x.data if isinstance(x, Tensor) else x


def _passed(x: Any, held: Any) -> Any:
    """What the kernel gets: the next traced array, in a Tensor if there was one."""
    if not _is_array(x):
        return x
    if not isinstance(x, Tensor):
        return next(held)
    wrapped = Tensor(0)
    wrapped.data = next(held)  # the constructor would take the base array only
    return wrapped


def _names(
    function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
) -> tuple[str, ...]:
    """The parameters that take the arrays; letters where the function does not tell."""
    count = sum(map(_is_array, [*arguments, *options.values()]))
    try:
        bound = inspect.signature(function).bind(*arguments, **options).arguments
    except (TypeError, ValueError):  # a function in C; or wrong arguments, as the call will say
        return tuple(ascii_uppercase[:count])
    names = tuple(name for name, x in bound.items() if _is_array(x))
    return names if len(names) == count else tuple(ascii_uppercase[:count])


def _check_names(names: tuple[str, ...], count: int) -> None:
    if len(names) != count:
        raise ValueError(f"names must name {count} arrays, got {len(names)}: {names}")
    if len(set(names)) < len(names) or WORKSPACE in names:
        raise ValueError(f"names must differ, and from {WORKSPACE!r}, got {names}")


def _written(tape: Tape) -> np.ndarray:
    numbers, _, writes = decode(np.array(tape.codes, np.int64))
    return numbers[writes]


def _result_blocks(tape: Tape, returned: Any, taken: tuple[str, ...]) -> dict[str, Any]:
    """Name -> (block number, array) of what the kernel returned, if it is a new array."""
    only_name = "C" if "C" not in taken else "result"
    entries = returned.items() if isinstance(returned, dict) else [(only_name, returned)]
    found, numbers = {}, set()
    for name, value in entries:
        if not _is_array(value) or not _values(value).size or name in taken:
            continue
        block = tape.block(_values(value))
        if block.offset is not None and block.number not in numbers:
            numbers.add(block.number)
            found[str(name)] = block.number, stripped(_values(value))
    return found


def _finished(
    tape: Tape, arguments: dict[str, np.ndarray], results: dict[str, Any], returned: Any
) -> Trace:
    """The trace with blocks sorted into arguments, results and workspace."""
    blocks, first = tape.blocks, len(arguments)  # the arguments were registered first
    numbers, elements, writes = decode(np.array(tape.codes, np.int64))
    arrays = {name: _layout(values) for name, values in arguments.items()}
    ids = np.full(len(blocks), first + len(results), np.int64)
    offsets = np.array([block.offset or 0 for block in blocks], np.int64)
    ids[:first] = range(first)
    for at, (name, (number, values)) in enumerate(results.items(), start=first):
        start = (values.__array_interface__["data"][0] - blocks[number].start) // values.itemsize
        arrays[name] = _layout(values)._replace(size=blocks[number].size, start=int(start))
        ids[number], offsets[number] = at, 0
    if (ids[numbers] == len(arrays)).any():
        arrays[WORKSPACE] = _row_major((tape.size,))
    places = elements + offsets[numbers]
    return Trace(arrays, ids[numbers], places, writes, [Step(*s) for s in tape.steps], returned)
