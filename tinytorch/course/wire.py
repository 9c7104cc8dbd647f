"""What the judge and the student's process say to each other: data, and nothing that acts.

A frame is two lengths, a JSON text and the raw memory of arrays and bytes. Values travel as trees:
None, bools, text and small numbers as they are, everything else as a list that begins with a tag.
Decoding makes only what the tables below name; nothing is imported, unpickled or called by name.
Whatever is wrong in a frame is a `WireError`, whoever sent it.
"""

import ctypes
import json
import math
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tinytorch.core.compression import SparseMatrix
from tinytorch.core.tensor import Tensor

Message: TypeAlias = dict[str, Any]
Memory: TypeAlias = bytes | memoryview
Blobs: TypeAlias = list[memoryview]

MOST_JSON = 4 << 20  # bytes of a frame's text
MOST_MEMORY = 160 << 20  # bytes of a frame's arrays
MOST_NODES = 300_000  # values in one frame
MOST_ALIKE = 100  # keys of a frame's dicts and sets that have the hash of another: each compares
DEEPEST = 50
_LONGEST_INT = 1 << 14  # bits
_STEP = 1 << 20  # bytes that are reserved before any have come
_HEADER = struct.Struct(">IIQ")
_MAGIC = 0x54695931
_DTYPES = {
    np.dtype(code).str: np.dtype(np.dtype(code).str)  # int64, where "q" is a longlong beside it
    for code in ("?", "b", "B", "h", "H", "i", "I", "q", "Q", "e", "f", "d", "F", "D")
}
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_CHANGEABLE = (np.ndarray, Tensor, list, dict, set)  # in place, and seen by both sides
_HELD = (np.ndarray, Tensor)  # what goes back as the very argument that it came as
_SPARSE = ("shape", "indptr", "indices", "values")


class WireError(Exception):
    """A value that cannot travel, or a frame that is not one."""


def send(channel: socket.socket, message: Message, blobs: Sequence[Memory]) -> None:
    """Write one frame; WireError if it is larger than the other side would read."""
    text = json.dumps({**message, "blobs": [len(b) for b in blobs]}, separators=(",", ":")).encode()
    memory = sum(map(len, blobs))
    if len(text) > MOST_JSON or memory > MOST_MEMORY:
        raise WireError(f"a message of {len(text) + memory:,} bytes is larger than allowed")
    channel.sendall(_HEADER.pack(_MAGIC, len(text), memory) + text)
    for blob in blobs:
        channel.sendall(blob)


def receive(channel: socket.socket) -> tuple[Message, Blobs]:
    """Read one frame; EOFError where the other side is gone, WireError for anything but a frame.

    Its `size` in the message is the reader's word: 8 for each byte of the text, as what is made of
    the text takes so much more memory, and 1 for the others.
    """
    magic, length, memory = _HEADER.unpack(bytes(_exactly(channel, _HEADER.size)))
    if magic != _MAGIC or length > MOST_JSON or memory > MOST_MEMORY:
        raise WireError("this is not a frame, or it is larger than allowed")
    text = bytes(_exactly(channel, length))
    body = memoryview(_exactly(channel, memory))
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("the text of a frame is not JSON") from error
    if type(message) is not dict:
        raise WireError("a frame is not an object")
    parts = _cut(body, message.pop("blobs", None))
    return message | {"size": 8 * length + memory}, parts


def _exactly(channel: socket.socket, size: int) -> bytearray:
    # It grows with what has really come: a length alone reserves little.
    data = bytearray(min(size, _STEP))
    have = 0
    while have < size:
        if have == len(data):
            data += bytes(min(size - have, have))
        with memoryview(data) as room:
            got = channel.recv_into(room[have:])
        if not got:
            raise EOFError("the other side is gone")
        have += got
    return data


def _cut(body: memoryview, lengths: Any) -> Blobs:
    if type(lengths) is not list or any(type(n) is not int or n < 0 for n in lengths):
        raise WireError("a frame does not say how long its parts are")
    if len(lengths) > MOST_NODES or sum(lengths) != len(body):
        raise WireError("the parts of a frame are not as long as it says")
    parts, at = [], 0
    for length in lengths:
        parts.append(body[at : at + length])
        at += length
    return parts


Encode: TypeAlias = Callable[[Any, "Encoder"], Any]
Decode: TypeAlias = Callable[[str, list[Any], "Decoder"], Any]


class Encoder:
    """Turns values into trees; `blobs` gathers their memory.

    other: asked for what is no data; it returns a tree, or None. layouts: whether arrays keep their
    strides and their writability, as arguments do; results are sent row by row. given: what both
    sides know and can change in place. It goes by its number; arguments are added as they are met.
    """

    def __init__(
        self, other: Encode | None = None, layouts: bool = False, given: Sequence[Any] = ()
    ) -> None:
        self.other, self.layouts = other, layouts
        self.blobs: list[Memory] = []
        self.given = list(given)
        self._places = {id(v): n for n, v in enumerate(given) if isinstance(v, _HELD)}
        self._nodes = 0

    def encode(self, value: Any, depth: int = 0) -> Any:
        """The tree of a value; WireError for what is no data."""
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            raise WireError("a value is nested too deeply, or has too many parts")
        place = self._places.get(id(value))
        if place is not None:
            return ["g", place]
        tree = self._tree(value, depth)
        if self.layouts and isinstance(value, _CHANGEABLE):
            self._places[id(value)] = len(self.given)
            self.given.append(value)
        return tree

    def _tree(self, value: Any, depth: int) -> Any:
        if value is None or type(value) in (bool, str):
            return _text(value) if value else value
        if type(value) in _BY_TYPE:
            return _BY_TYPE[type(value)](self, value, depth)
        if isinstance(value, np.ndarray):
            return self.array(value)
        if isinstance(value, np.generic):
            return ["n", _dtype(value.dtype), np.asarray(value).tobytes().hex()]
        if isinstance(value, Tensor):
            return ["T", self.encode(np.asarray(value.data), depth + 1)]
        if isinstance(value, SparseMatrix):
            parts = [getattr(value, name) for name in _SPARSE]
            return ["S", *(self.encode(part, depth + 1) for part in parts)]
        other = self.other(value, self) if self.other else None
        if other is not None:
            return other
        for kind in (bool, int, float, str, tuple, list, dict, set, frozenset, bytes, bytearray):
            if isinstance(value, kind):  # a subclass goes as what it is made of
                return self._tree(_bare(kind, value), depth + 1)
        if isinstance(value, np.dtype):
            return ["y", _dtype(value)]
        raise WireError(f"a {type(value).__name__} is no data: it cannot be handed over")

    def many(self, values: Any, depth: int) -> list[Any]:
        """The trees of several values."""
        return [self.encode(value, depth + 1) for value in values]

    def array(self, array: np.ndarray) -> list[Any]:
        """The tree of an array, with all its elements."""
        array = array.view(np.ndarray) if type(array) is not np.ndarray else array
        name = _dtype(array.dtype)
        if array.nbytes > MOST_MEMORY:
            raise WireError(f"an array of {array.nbytes:,} bytes is larger than allowed")
        shape = list(array.shape)
        if not self.layouts:
            return ["a", self._blob(_memory(array)), name, shape]
        layout: Any = "C" if array.flags.c_contiguous else "F"
        if array.flags.forc:
            memory = _memory(array if layout == "C" else array.T)
        else:
            memory, layout = _hull(array)
        return ["v", self._blob(memory), name, shape, layout, bool(array.flags.writeable)]

    def _blob(self, memory: Memory) -> int:
        self.blobs.append(memory)
        return len(self.blobs) - 1


def _int(encoder: Encoder, value: int, depth: int) -> Any:
    if -(2**53) < value < 2**53:
        return value
    if value.bit_length() > _LONGEST_INT:
        raise WireError(f"a whole number of {value.bit_length():,} bits is larger than allowed")
    return ["i", hex(value)]


def _slice(encoder: Encoder, value: slice, depth: int) -> Any:
    return ["x", *encoder.many((value.start, value.stop, value.step), depth)]


def _limits(value: range) -> tuple[int, int, int]:
    if value and (value[-1] - value[0]) // value.step >= MOST_NODES:
        raise WireError(f"a range of more than {MOST_NODES:,} numbers is larger than allowed")
    return value.start, value.stop, value.step


def _pairs(encoder: Encoder, value: dict[Any, Any], depth: int) -> Any:
    return ["d", *(encoder.many(pair, depth) for pair in value.items())]


_BY_TYPE: dict[type, Callable[[Encoder, Any, int], Any]] = {
    int: _int,
    float: lambda e, v, d: v if math.isfinite(v) else ["f", repr(v)],
    complex: lambda e, v, d: ["c", *e.many((v.real, v.imag), d)],
    list: lambda e, v, d: ["l", *e.many(v, d)],
    tuple: lambda e, v, d: ["t", *e.many(v, d)],
    set: lambda e, v, d: ["s", *e.many(v, d)],
    frozenset: lambda e, v, d: ["z", *e.many(v, d)],
    dict: _pairs,
    bytes: lambda e, v, d: ["b", e._blob(v)],
    bytearray: lambda e, v, d: ["B", e._blob(bytes(v))],
    range: lambda e, v, d: ["r", *e.many(_limits(v), d)],
    slice: _slice,
    type(Ellipsis): lambda e, v, d: ["e"],
}


def _bare(kind: Any, value: Any) -> Any:
    """The same without what a subclass adds or overrides."""
    if kind is bool or kind is int:
        return int.__int__(value)
    if kind is float:
        return float.__float__(value)
    if kind is str:
        return str.__str__(value)
    if kind is dict:
        return dict(dict.items(value))
    if kind is bytes:
        return bytes.__getitem__(value, slice(None))
    return kind(kind.__iter__(value))


def _text(value: Any) -> Any:
    if value is True:
        return value
    return value.encode("utf-8", "replace").decode()


def _dtype(dtype: np.dtype[Any]) -> str:
    if dtype.str not in _DTYPES:
        raise WireError(f"an array of dtype {dtype} cannot be handed over")
    return dtype.str


def _memory(array: np.ndarray) -> Memory:
    """An array's elements in row-major order; copied only where they do not lie so already."""
    if not array.flags.c_contiguous:
        return array.tobytes()
    return array.reshape(-1).view(np.uint8).data


def _hull(array: np.ndarray) -> tuple[bytes, list[Any]]:
    """The memory from an array's first byte to its last, and how the array lies in it."""
    if not array.size:
        return b"", [0, list(array.strides)]
    low, high = np.lib.array_utils.byte_bounds(array)
    if high - low > MOST_MEMORY:
        raise WireError(f"an array that spans {high - low:,} bytes is larger than allowed")
    start = array.__array_interface__["data"][0] - low
    return ctypes.string_at(low, high - low), [start, list(array.strides)]


class Decoder:
    """Turns the trees of one frame back into values; WireError for anything unexpected.

    other: asked for tags that are not here, with the tag, the rest and this decoder. layouts,
    given: see `Encoder`; a result has no layouts, or a few bytes could claim to be a large array.
    """

    def __init__(
        self,
        blobs: Blobs,
        other: Decode | None = None,
        layouts: bool = False,
        given: Sequence[Any] = (),
    ) -> None:
        self.blobs, self.other, self.layouts = blobs, other, layouts
        self.given = list(given)
        # Of the arrays with a layout, by their ids: the bytes that they lie in, and what came.
        self.memory: dict[int, tuple[np.ndarray, memoryview]] = {}
        self._taken: set[int] = set()
        self._nodes = self._alike = 0

    def decode(self, tree: Any, depth: int = 0) -> Any:
        """The value of a tree."""
        self._nodes += 1
        if depth > DEEPEST + 2 or self._nodes > MOST_NODES:
            raise WireError("a value is nested too deeply, or has too many parts")
        if tree is None or type(tree) in (bool, int, float, str):
            return tree
        if type(tree) is not list or not tree or type(tree[0]) is not str:
            raise WireError("a part of a value is none")
        tag, rest = tree[0], tree[1:]
        try:
            if tag in _BY_TAG:
                value = _BY_TAG[tag](self, rest, depth)
                if self.layouts and tag != "g" and isinstance(value, _CHANGEABLE):
                    self.given.append(value)
                return value
            if self.other:
                return self.other(tag, rest, self)
        except (TypeError, ValueError, LookupError, OverflowError, MemoryError) as error:
            raise WireError(f"the part {tag[:8]!r} of a value is wrong") from error
        raise WireError(f"there is no part {tag[:8]!r} in values")

    def many(self, trees: list[Any], depth: int = 0) -> list[Any]:
        """The values of several trees."""
        if type(trees) is not list:
            raise WireError("a part of a value is none")
        return [self.decode(tree, depth + 1) for tree in trees]

    def keys(self, keys: list[Any]) -> list[Any]:
        """Keys for a dict or a set; not many of one hash, as each is compared with all others."""
        self._alike += len(keys) - len(set(map(hash, keys)))
        if self._alike > MOST_ALIKE:
            raise WireError("too many keys of its dicts and sets have the same hash")
        return keys

    def blob(self, index: Any) -> memoryview:
        """One part of the frame's memory, each only once: a few bytes must not become many."""
        if type(index) is not int or not 0 <= index < len(self.blobs):
            raise WireError("a value names memory that is not there")
        if index in self._taken:
            raise WireError("two values name the same memory")
        self._taken.add(index)
        return self.blobs[index]

    def array(self, rest: list[Any]) -> np.ndarray:
        """An array of its own, row by row."""
        memory, dtype, shape = self._facts(rest)
        if math.prod(shape) * dtype.itemsize != len(memory):
            raise WireError("an array is not as large as its shape says")
        flat = np.frombuffer(memory, dtype)
        if dtype.kind == "b":  # a byte of 2 would be true, and not equal to True
            flat = flat.view(np.uint8) != 0
        return flat.reshape(shape).copy()

    def laid_out(self, rest: list[Any]) -> np.ndarray:
        """An argument's array, with the strides that it has on the other side."""
        if not self.layouts:
            raise WireError("a result says how it lies in memory")
        memory, dtype, shape = self._facts(rest[:3])
        layout, writable = rest[3:]
        if layout in ("C", "F"):
            array = np.empty(shape, dtype, order=layout)
            in_order = array if layout == "C" else array.T
            in_order[...] = np.frombuffer(memory, dtype).reshape(in_order.shape)
            whole = in_order.reshape(-1).view(np.uint8)
        else:
            whole = np.frombuffer(bytearray(memory), np.uint8)
            array = np.ndarray(shape, dtype, whole, layout[0], tuple(layout[1]))
        self.memory[id(array)] = whole, memory
        array.flags.writeable = bool(writable)
        return array

    def known(self, rest: list[Any]) -> Any:
        """What both sides know; of a result only arrays, as a list could come to hold itself."""
        (place,) = rest
        if type(place) is not int or not 0 <= place < len(self.given):
            raise WireError("a value names an argument that there is not")
        if not self.layouts and not isinstance(self.given[place], _HELD):
            raise WireError("a value names an argument that is no array")
        return self.given[place]

    def _facts(self, rest: list[Any]) -> tuple[memoryview, np.dtype[Any], tuple[int, ...]]:
        index, name, shape = rest
        if type(name) is not str or name not in _DTYPES:
            raise WireError("an array has a dtype that cannot be handed over")
        if type(shape) is not list or len(shape) > 32:
            raise WireError("an array has a shape that is none")
        if any(type(n) is not int or n < 0 for n in shape):
            raise WireError("an array has a shape that is none")
        if math.prod(n or 1 for n in shape) > MOST_MEMORY:  # rows without elements are many, too
            raise WireError("an array has more rows than allowed")
        return self.blob(index), _DTYPES[name], tuple(shape)

    def scalar(self, rest: list[Any]) -> Any:
        """A NumPy number."""
        name, digits = rest
        if type(name) is not str or name not in _DTYPES or type(digits) is not str:
            raise WireError("a number has a dtype that cannot be handed over")
        (number,) = np.frombuffer(bytes.fromhex(digits), _DTYPES[name])
        return np.bool_(number.tobytes() != b"\0") if number.dtype.kind == "b" else number

    def tensor(self, rest: list[Any], depth: int) -> Tensor:
        """A Tensor around an array; not through its constructor, which would convert."""
        (tree,) = rest
        data = self.decode(tree, depth + 1)
        if not isinstance(data, np.ndarray):
            raise WireError("a Tensor holds no array")
        tensor = Tensor.__new__(Tensor)
        tensor.data = data
        return tensor

    def sparse(self, rest: list[Any], depth: int) -> SparseMatrix:
        """A sparse matrix of three arrays."""
        shape, *arrays = self.many(rest, depth)
        if type(shape) is not tuple or any(type(n) is not int for n in shape):
            raise WireError("a sparse matrix has a shape that is none")
        if len(arrays) != 3 or not all(isinstance(a, np.ndarray) for a in arrays):
            raise WireError("a sparse matrix is made of three arrays")
        return SparseMatrix(shape, *arrays)


def _whole_number(rest: list[Any]) -> int:
    (digits,) = rest
    if type(digits) is not str or len(digits) > _LONGEST_INT // 4 + 4:
        raise WireError("a whole number is larger than allowed")
    return int(digits, 16)


def _range(values: list[Any]) -> range:
    if len(values) != 3 or any(type(v) is not int for v in values):
        raise WireError("a range is made of three whole numbers")
    return range(*_limits(range(*values)))


def _dict(decoder: Decoder, rest: list[Any], depth: int) -> dict[Any, Any]:
    pairs = [decoder.many(pair, depth + 1) for pair in rest]
    decoder.keys([k for k, _ in pairs])
    return {k: v for k, v in pairs}


_BY_TAG: dict[str, Callable[[Decoder, list[Any], int], Any]] = {
    "i": lambda d, r, n: _whole_number(r),
    "f": lambda d, r, n: _SPECIAL[r[0]],
    "c": lambda d, r, n: complex(*d.many(r, n)),
    "l": lambda d, r, n: d.many(r, n),
    "t": lambda d, r, n: tuple(d.many(r, n)),
    "s": lambda d, r, n: set(d.keys(d.many(r, n))),
    "z": lambda d, r, n: frozenset(d.keys(d.many(r, n))),
    "d": _dict,
    "b": lambda d, r, n: bytes(d.blob(r[0])),
    "B": lambda d, r, n: bytearray(d.blob(r[0])),
    "r": lambda d, r, n: _range(d.many(r, n)),
    "x": lambda d, r, n: slice(*d.many(r, n)),
    "e": lambda d, r, n: ...,
    "g": lambda d, r, n: d.known(r),
    "y": lambda d, r, n: _DTYPES[r[0]],
    "a": lambda d, r, n: d.array(r),
    "v": lambda d, r, n: d.laid_out(r),
    "n": lambda d, r, n: d.scalar(r),
    "T": lambda d, r, n: d.tensor(r, n),
    "S": lambda d, r, n: d.sparse(r, n),
}
