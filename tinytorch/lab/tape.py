"""The tape that a traced run leaves: every access as one integer, and where memory lies.

Which accesses go onto it is the business of `recording`.
"""

from __future__ import annotations

import threading
import weakref
from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

# A code on the tape: the block's number, the element within the block, and whether it is written.
WRITE = 1
ELEMENT, NUMBER = 1, 41
ELEMENTS = (1 << (NUMBER - ELEMENT)) - 1
# Room in the workspace is given out in these steps, so that every array in it starts at a line.
_GRAIN = 64


class Block:
    """The memory of one array. number: its place in `Tape.blocks`."""

    def __init__(self, owner: np.ndarray, number: int, offset: int | None) -> None:
        self.start, stop = np.lib.array_utils.byte_bounds(owner)
        self.itemsize = owner.itemsize
        self.size = max(1, -(-(stop - self.start) // self.itemsize))
        self.number = number
        self.offset = offset  # where in the workspace, in elements; None for an argument


class Tape:
    """The accesses of one run, in order.

    codes: one integer an access, see `decode`. steps: (name, kind, first access, end) of every
    operation on whole arrays or slices, see `trace.Step`. blocks: the memory of every array met,
    a freed one's place in the workspace being given to the next of its size, as an allocator
    would. size: elements of the workspace. array: the class of the arrays that write on it; None
    for that of `recording`.
    """

    array: type[np.ndarray] | None = None

    def __init__(self) -> None:
        self.open = True
        self.codes = array("q")
        self.steps: list[tuple[str, str, int, int]] = []
        self.blocks: list[Block] = []
        self.size = 0
        self._living: dict[int, tuple[Block, weakref.ref[Any]]] = {}
        self._free: dict[int, list[int]] = {}
        self._lock = threading.RLock()  # kernels may have threads

    def stand_ins(self) -> list[tuple[Any, Any]]:
        """(function, what stands in for it): more than all tapes need, see `watching`."""
        return []

    def block(self, values: np.ndarray) -> Block:
        """The block in which the array lies; a new one in the workspace for memory never met."""
        owner = owner_of(values)
        found = self._living.get(id(owner))
        return found[0] if found else self.register(owner, workspace=True)

    def element(self, values: Any, index: tuple[Any, ...], write: int) -> None:
        """Write down the access to one element; called for every one of a scalar loop.

        values: a RecordingArray, which keeps its place from one access to the next.
        """
        place = values._place
        if place is None:
            block = self.block(values)
            place = values._place = block, values.__array_interface__["data"][0] - block.start
        block, at = place
        for i, length, stride in zip(index, values.shape, values.strides, strict=True):
            at += (i if i >= 0 else i + length) * stride
        code = block.number << NUMBER | int(at) // block.itemsize << ELEMENT | write
        self.codes.append(code)

    def operation(
        self, name: str, reads: Iterable[Any], writes: Iterable[Any], elementwise: bool = False
    ) -> None:
        """Write down one step: every operand in row-major order, one after the other.

        elementwise: the operands, broadcast against each other, are walked side by side instead,
        and so are the two of a copy.
        """
        if not self.open:
            return
        with self._lock:
            read = [self.codes_of(x) for x in arrays_in(reads)]
            parts = read + [self.codes_of(x) | WRITE for x in arrays_in(writes)]
            kind = "elementwise" if elementwise else "product" if len(read) > 1 else "copy"
            if elementwise and parts:
                parts = [np.stack(np.broadcast_arrays(*parts), axis=-1)]
            elif len(read) == 1 and [part.size for part in parts] == [read[0].size] * 2:
                parts = [np.stack([part.ravel() for part in parts], axis=-1)]
            self.extend(name, parts, kind)

    def extend(self, name: str, parts: Iterable[np.ndarray], kind: str = "copy") -> None:
        """Append codes as one step."""
        start = len(self.codes)
        for part in parts:
            self.codes.frombytes(part.tobytes())
        if len(self.codes) > start:
            self.steps.append((name, kind, start, len(self.codes)))

    def codes_of(self, values: np.ndarray) -> np.ndarray:
        """The codes of reading every element, in the shape of the array."""
        block = self.block(values)
        at = np.int64(values.__array_interface__["data"][0] - block.start)
        for length, stride in zip(values.shape, values.strides, strict=True):
            at = np.add.outer(at, np.arange(length, dtype=np.int64) * stride)
        return np.asarray(at // block.itemsize << ELEMENT | block.number << NUMBER)

    def register(self, owner: np.ndarray, workspace: bool) -> Block:
        """Take up the memory of an array: an argument's own, or a place in the workspace."""
        with self._lock:
            block = Block(owner, len(self.blocks), None)
            if workspace:
                room = -(-block.size // _GRAIN) * _GRAIN
                free = self._free.setdefault(room, [])
                if not free:
                    free.append(self.size)
                    self.size += room
                block.offset = free.pop()
            self.blocks.append(block)
            self._living[id(owner)] = block, weakref.ref(owner, self._forget(id(owner), block))
            return block

    def _forget(self, key: int, block: Block) -> Callable[[Any], None]:
        def forget(_: Any) -> None:
            del self._living[key]
            if block.offset is not None:
                self._free[-(-block.size // _GRAIN) * _GRAIN].append(block.offset)

        return forget


def decode(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Block numbers, elements within their blocks, and whether they are written."""
    return codes >> NUMBER, codes >> ELEMENT & ELEMENTS, (codes & WRITE).astype(bool)


def owner_of(values: np.ndarray) -> np.ndarray:
    """The array that holds the memory of a view."""
    owner: Any = values
    while hasattr(getattr(owner, "base", None), "base"):
        owner = owner.base
    return owner


def arrays_in(value: Any) -> list[np.ndarray]:
    """All ndarrays with elements in nested tuples, lists and dicts."""
    if isinstance(value, np.ndarray):
        return [value] if value.size and value.dtype != object else []
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return []
    return [x for entry in value for x in arrays_in(entry)]
