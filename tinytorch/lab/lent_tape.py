"""Where the elements of lent arrays are from, through slices, copies and conversions.

A LentTape knows of every piece of memory which of its elements are lent, and asks for them when
`lent` says that they are used. Moving elements about asks for nothing.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch.core.scratch import scratch
from tinytorch.core.tensor import Tensor
from tinytorch.lab.recording import plain, watched, without
from tinytorch.lab.tape import Tape, arrays_in, owner_of

Fetch = Callable[[str, np.ndarray], np.ndarray]

# Where an element is from, as one number: 0 for an ordinary one, else the lent array's number,
# counted from 1, and the element in it.
_NUMBER = 40
_ELEMENT = (1 << _NUMBER) - 1
_PAGES = 64  # so many parts of a large array are asked for, where it is read element by element
_LARGE = 4_096


@dataclass(frozen=True)
class Borrowed:
    """What the borrower knows of an argument that was lent. in_tensor: whether to wrap it."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    in_tensor: bool = False


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

    def __init__(self, fetch: Fetch, array: type[np.ndarray]) -> None:
        super().__init__()
        self.array = array
        self._fetch = fetch
        self._lent: list[Borrowed] = []
        self.memories: dict[int, tuple[_Memory, weakref.ref[Any]]] = {}
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
        if not isinstance(values, np.ndarray) or not values.size or not self.memories:
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
                if not isinstance(bare, np.ndarray):
                    return watched(self, original(self.real(data), *args, **kwargs))
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
        takers: list[Callable[..., Any]] = [
            np.array,
            np.asarray,
            np.asanyarray,
            np.ascontiguousarray,
            np.asfortranarray,
        ]
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
        found = self.memories.get(id(owner))
        if found is None and make:
            with self._lock:
                found = self.memories.get(id(owner))
                if found is None:
                    ended = weakref.ref(owner, self._forgets(id(owner)))
                    found = _Memory(owner), ended
                    self.memories[id(owner)] = found
        return found[0] if found else None

    def _forgets(self, key: int) -> Callable[[Any], None]:
        return lambda _: self.memories.pop(key, None) and None

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

    def one(self, code: int) -> Any:
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


def _poison(dtype: np.dtype[Any]) -> Any:
    """What no kernel can compute with unseen."""
    if dtype.kind == "f":
        return np.nan
    return np.iinfo(dtype).min or np.iinfo(dtype).max if dtype.kind in "iu" else True
