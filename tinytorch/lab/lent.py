"""Arrays whose elements are elsewhere: what a kernel computes with, it must ask for.

The borrower's side of `lending`. A LentArray looks like an array, but its memory is poison (NaN,
or the least number) until an operation uses elements: then exactly these are asked for. Moving
elements about (slices, copies, conversions, concatenations) asks for nothing: where each of them
is from is remembered instead, and it is asked for where it is used.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.core.scratch import scratch
from tinytorch.core.tensor import Tensor
from tinytorch.lab.callables import namespace, python_form
from tinytorch.lab.recording import (
    NO_DATA,
    WRITES_FIRST,
    RecordingArray,
    is_view,
    plain,
    same_memory,
    watched,
    without,
)
from tinytorch.lab.tape import Tape, arrays_in, owner_of
from tinytorch.lab.watching import watching

Fetch = Callable[[str, np.ndarray], np.ndarray]

# Where an element is from, as one number: 0 for an ordinary one, else the lent array's number,
# counted from 1, and the element in it.
_NUMBER = 40
_ELEMENT = (1 << _NUMBER) - 1
_PAGES = 64  # so many parts of a large array are asked for, where it is read element by element
_LARGE = 4_096
# Functions that move elements about, or give views of them.
_LAYOUT = {
    np.array_split, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.block, np.broadcast_arrays,
    np.broadcast_to, np.column_stack, np.concatenate, np.copy, np.diagonal, np.dsplit, np.dstack,
    np.expand_dims, np.flip, np.fliplr, np.flipud, np.hsplit, np.hstack, np.moveaxis, np.ravel,
    np.reshape, np.roll, np.rollaxis, np.rot90, np.split, np.squeeze, np.stack,
    np.swapaxes, np.tile, np.transpose, np.vsplit, np.vstack,
    np.lib.stride_tricks.sliding_window_view, np.lib.stride_tricks.as_strided,
}  # fmt: skip


@dataclass(frozen=True)
class Borrowed:
    """What the borrower knows of an argument that was lent. in_tensor: whether to wrap it."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    in_tensor: bool = False


def run_lent(
    kernel: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], fetch: Fetch
) -> Any:
    """Run `kernel(*args, **kwargs)`, the `Borrowed` among the arguments as lent arrays.

    fetch(name, elements): the values of these elements of an array, counted in row-major order;
    it is called from whatever thread needs them. Compiled functions run as the Python that they
    were made from. The result is made of ordinary arrays.
    """
    function, tape = python_form(kernel), LentTape(fetch)
    passed = [tape.borrow(arg) for arg in args]
    options = {name: tape.borrow(arg) for name, arg in kwargs.items()}
    with watching(tape, namespace(function)):
        return tape.real(function(*passed, **options), in_tensors=True)


class _Memory:
    """Where the elements of one piece of memory are from. origin: one number an element."""

    def __init__(self, owner: np.ndarray) -> None:
        self.start, stop = np.lib.array_utils.byte_bounds(owner)
        self.itemsize = owner.itemsize
        self.origin = np.zeros(max(1, (stop - self.start) // self.itemsize), np.int64)

    def seen_as(self, values: np.ndarray) -> np.ndarray:
        """The origins of an array in this memory, in its shape; a view."""
        at = (values.__array_interface__["data"][0] - self.start) // self.itemsize
        strides = tuple(s // self.itemsize * 8 for s in values.strides)
        return np.lib.stride_tricks.as_strided(self.origin[at:], values.shape, strides)


class LentTape(Tape):
    """Not a tape that is written on, but the place where lent elements are asked for."""

    def __init__(self, fetch: Fetch) -> None:
        super().__init__()
        self.array = LentArray
        self._fetch = fetch
        self._lent: list[Borrowed] = []
        self._memories: dict[int, tuple[_Memory, weakref.ref[Any]]] = {}
        self._pages = threading.local()

    def operation(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is written down here."""

    def borrow(self, argument: Any) -> Any:
        """The lent array for a `Borrowed`; anything else as it is."""
        if not isinstance(argument, Borrowed):
            return argument
        self._lent.append(argument)
        values = np.full(argument.shape, _poison(np.dtype(argument.dtype)), argument.dtype)
        first = len(self._lent) << _NUMBER
        origin = np.arange(first, first + values.size, dtype=np.int64).reshape(values.shape)
        if not argument.in_tensor:
            return self.adopt(values, origin)
        wrapped = Tensor(0)
        wrapped.data = self.adopt(values, origin)
        return wrapped

    def adopt(self, values: np.ndarray, origin: np.ndarray) -> Any:
        """An array in memory of its own, as one whose elements are from there."""
        if values.size and origin.any():
            self._memory_of(values, make=True).seen_as(values)[...] = origin
        return watched(self, values)

    def origin(self, values: Any) -> np.ndarray | None:
        """Where the elements are from, in the array's shape; None if they are ordinary ones."""
        if not isinstance(values, np.ndarray) or not values.size or not self._memories:
            return None
        memory = self._memory_of(values)
        if memory is None:
            return None
        if values.itemsize != memory.itemsize:  # seen through another dtype
            self.settle(owner_of(values))
            return None
        return memory.seen_as(values)

    def real(self, value: Any, in_tensors: bool = False) -> Any:
        """The same with ordinary arrays in place of lent ones: their elements are asked for."""
        if isinstance(value, np.ndarray):
            origin = self.origin(value)
            bare = plain(value)
            return bare if origin is None else self._asked(bare, origin)
        if isinstance(value, Tensor):
            bare = self.real(value.data)
            return Tensor(bare) if in_tensors else bare
        if type(value) in (list, tuple):
            return type(value)(self.real(entry, in_tensors) for entry in value)
        if type(value) is dict:
            return {key: self.real(entry, in_tensors) for key, entry in value.items()}
        return value

    def settle(self, values: np.ndarray) -> None:
        """Make the elements of this array ordinary ones, in their place."""
        bare, origin = plain(values), self.origin(values)
        if origin is not None:
            np.copyto(bare, self._asked(bare, origin))
            origin[...] = 0

    def written(self, values: Any, where: Any = True) -> None:
        """Note that ordinary numbers have been written into an array."""
        origin = self.origin(values)
        if origin is not None:
            np.copyto(origin, 0, where=where)

    def assign(self, target: np.ndarray, source: Any) -> None:
        """target[...] = source, without asking for anything."""
        where_from = self.origin(source)
        with np.errstate(all="ignore"):
            target[...] = plain(source)
        if where_from is not None and target.size:
            self._memory_of(target, make=True).seen_as(target)[...] = where_from
        else:
            self.written(target)

    def element(self, values: Any, index: Any, write: int = 0) -> Any:
        """One element."""
        bare = plain(values)
        origin = self.origin(values)
        code = 0 if origin is None else int(origin[index])
        return bare[index] if not code else bare.dtype.type(self._one(code))

    def moved(
        self,
        function: Callable[..., Any],
        args: Any,
        kwargs: Any,
        of_origins: Callable[..., Any] | None = None,
    ) -> Any:
        """The result of a function that only moves elements, or gives a view of them.

        of_origins: what moves where they are from, if not the function itself.
        """
        with np.errstate(all="ignore"):
            result = function(*without(args, plain), **without(kwargs, plain))
        if not any(self.origin(x) is not None for x in arrays_in([args, kwargs])):
            return watched(self, result)
        fresh = [x for x in arrays_in(result) if self.origin(x) is None]
        if fresh:
            given = without(args, self._origins), without(kwargs, self._origins)
            origins = (of_origins or function)(*given[0], **given[1])
            for values, origin in zip(arrays_in(result), arrays_in(origins), strict=True):
                if self.origin(values) is None:
                    self.adopt(values, origin)
        return watched(self, result)

    def stand_ins(self) -> list[tuple[Any, Any]]:
        """What in NumPy reads or makes arrays without asking any array."""

        def watched_result(original: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *args, **kwargs: watched(
                self, plain(original(*without(args, plain), **kwargs))
            )

        def converting(original: Callable[..., Any]) -> Callable[..., Any]:
            def convert(data: Any, *args: Any, **kwargs: Any) -> Any:
                bare = data.data if isinstance(data, Tensor) else data
                if not isinstance(bare, LentArray):
                    return original(self.real(data), *args, **kwargs)
                with np.errstate(all="ignore"):
                    result = original(plain(bare), *args, **kwargs)
                origin = self.origin(bare)
                if origin is not None and not np.shares_memory(result, plain(bare)):
                    return self.adopt(result, origin.reshape(result.shape))
                return watched(self, result)

            return convert

        def walking(original: Callable[..., Any]) -> Callable[..., Any]:
            def walk(data: Any, *args: Any, **kwargs: Any) -> Any:
                for values in arrays_in(data):
                    self.settle(values)
                return original(without(data, plain), *args, **kwargs)

            return walk

        makers = [getattr(np, f"{n}_like") for n in ("empty", "zeros", "ones", "full")]
        makers += [np.eye, np.identity, np.arange, np.linspace, scratch]
        takers = [np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray]
        pairs = [(f, watched_result(f)) for f in makers] + [(f, converting(f)) for f in takers]
        return pairs + [(f, walking(f)) for f in (np.nditer, np.ndenumerate)]

    def _origins(self, value: Any) -> Any:
        """For an array, where its elements are from; anything else as it is."""
        bare = value.data if isinstance(value, Tensor) else value
        if not isinstance(bare, np.ndarray):
            return value
        origin = self.origin(bare)
        return np.zeros(bare.shape, np.int64) if origin is None else origin

    def _memory_of(self, values: np.ndarray, make: bool = False) -> Any:
        owner = owner_of(values)
        found = self._memories.get(id(owner))
        if found is None and make:
            with self._lock:
                found = self._memories.get(id(owner))
                if found is None:
                    forget = lambda _, key=id(owner): self._memories.pop(key, None)  # noqa: E731
                    found = _Memory(owner), weakref.ref(owner, forget)
                    self._memories[id(owner)] = found
        return found[0] if found else None

    def _asked(self, bare: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """An array's values, those from elsewhere asked for."""
        values = np.array(bare, order="K")
        for number in range(1, len(self._lent) + 1):
            mine = origin >> _NUMBER == number
            if mine.any():
                elements, places = np.unique(origin[mine] & _ELEMENT, return_inverse=True)
                fetched = np.asarray(self._fetch(self._lent[number - 1].name, elements))
                values[mine] = fetched[places.ravel()]
        return values

    def _one(self, code: int) -> Any:
        """One element from elsewhere; of a large array, its neighbours are asked for with it."""
        lent = self._lent[(code >> _NUMBER) - 1]
        element, size = code & _ELEMENT, math.prod(lent.shape)
        if size <= _LARGE:
            return self._fetch(lent.name, np.array([element]))[0]
        width = size // _PAGES
        key = code >> _NUMBER, element // width
        if getattr(self._pages, "key", None) != key:
            first = element // width * width
            page = np.arange(first, min(first + width, size))
            self._pages.values, self._pages.key = self._fetch(lent.name, page), key
        return self._pages.values[element % width]


class LentArray(RecordingArray):
    """An array on a `LentTape`: it asks for what an operation uses, before the operation."""

    _tape: Any

    def __getitem__(self, index: Any) -> Any:
        tape = self._tape
        if tape is None:
            return np.ndarray.__getitem__(self, index)
        index = tape.real(index)
        got = np.ndarray.__getitem__(self, index)
        if isinstance(got, np.generic):
            return tape.element(self, index)
        origin = None if is_view(index) else tape.origin(self)
        return got if origin is None else tape.adopt(plain(got), origin[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        tape = self._tape
        if tape is None:
            np.ndarray.__setitem__(self, index, plain(value))
            return
        index, bare = tape.real(index), plain(self)
        target = bare[index]
        if isinstance(target, np.ndarray) and is_view(index):
            source = value if isinstance(value, np.ndarray | Tensor) else tape.real(value)
            source = source.data if isinstance(source, Tensor) else source
            if not same_memory(plain(source), target):
                tape.assign(target, source)
            return
        bare[index] = tape.real(value)
        origin = tape.origin(bare)
        if origin is not None:
            origin[index] = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        tape = self._tape
        if method == "at":
            tape.settle(inputs[0])
            return getattr(ufunc, method)(plain(inputs[0]), *tape.real(inputs[1:]))
        out = kwargs.pop("out", ())
        options = {name: tape.real(value) for name, value in kwargs.items()}
        if out:
            options["out"] = tuple(plain(x) for x in out)
        result = getattr(ufunc, method)(*[tape.real(x) for x in inputs], **options)
        for values in out:
            tape.written(values, options.get("where", True))
        return out[0] if len(out) == 1 and out[0] is not None else watched(tape, result)

    def __array_function__(self, func: Any, _: Any, args: Any, kwargs: Any) -> Any:
        tape = self._tape
        if func in NO_DATA:
            return watched(tape, func(*without(args), **without(kwargs)))
        if func in _LAYOUT or (func is np.pad and _pads_zeros(args, kwargs)):
            return tape.moved(func, args, kwargs)
        if func is np.copyto and len(args) == 2 and not kwargs:
            return tape.assign(plain(args[0]), args[1])
        out = kwargs.get("out", args[2] if func is np.dot and len(args) > 2 else None)
        if func in WRITES_FIRST:
            out = args[0]
        if out is None:
            return watched(tape, func(*tape.real(args), **tape.real(kwargs)))
        tape.settle(plain(out))
        real = tape.real
        given = [plain(x) if x is out else real(x) for x in args]
        options = {name: plain(x) if x is out else real(x) for name, x in kwargs.items()}
        result = func(*given, **options)
        return result if func in WRITES_FIRST else out

    @property
    def flat(self) -> Any:
        """NumPy's iterator; it counts as reading everything at once."""
        return self._tape.real(self).flat

    @flat.setter
    def flat(self, values: Any) -> None:
        self._tape.settle(self)
        plain(self).flat = self._tape.real(values)

    def __reduce__(self) -> Any:
        return self._tape.real(self).__reduce__()

    def __float__(self) -> float:
        return float(self._tape.real(self))

    def __int__(self) -> int:
        return int(self._tape.real(self))

    def __bool__(self) -> bool:
        return bool(self._tape.real(self))


def _moving(name: str) -> Callable[..., Any]:
    method = getattr(np.ndarray, name)
    # Where elements are from has no dtype to convert.
    other = _copy if name in ("astype", "__deepcopy__") else None

    def moved(self: LentArray, *args: Any, **kwargs: Any) -> Any:
        return self._tape.moved(method, (self, *args), kwargs, other)

    return moved


def _reading(name: str, writes: bool = False) -> Callable[..., Any]:
    method = getattr(np.ndarray, name)

    def read(self: LentArray, *args: Any, **kwargs: Any) -> Any:
        tape = self._tape
        if writes:
            tape.settle(self)
        values = plain(self) if writes else tape.real(self)
        return watched(tape, method(values, *tape.real(args), **tape.real(kwargs)))

    return read


def _copy(values: np.ndarray, *_: Any, **__: Any) -> np.ndarray:
    return values.copy(order="K")


for _name in ("astype", "copy", "flatten", "ravel", "reshape", "__copy__", "__deepcopy__"):
    setattr(LentArray, _name, _moving(_name))
for _name in (
    "argmax", "argmin", "argpartition", "argsort", "byteswap", "choose", "compress", "cumprod",
    "cumsum", "dot", "item", "nonzero", "repeat", "searchsorted", "take", "tobytes", "tolist",
    "trace",
):  # fmt: skip
    setattr(LentArray, _name, _reading(_name))
for _name in ("fill", "partition", "put", "sort"):
    setattr(LentArray, _name, _reading(_name, writes=True))


def _poison(dtype: np.dtype[Any]) -> Any:
    """What no kernel can compute with unseen."""
    if dtype.kind == "f":
        return np.nan
    return np.iinfo(dtype).min or np.iinfo(dtype).max if dtype.kind in "iu" else True


def _pads_zeros(args: Any, kwargs: Any) -> bool:
    mode = args[2] if len(args) > 2 else kwargs.get("mode", "constant")
    return mode == "constant" and "constant_values" not in kwargs
