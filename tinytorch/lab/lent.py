"""Arrays whose elements are elsewhere: what a kernel computes with, it must ask for.

The borrower's side of `lending`. A LentArray looks like an array, but its memory is poison (NaN,
or the least number) until an operation uses elements: then exactly these are asked for. What only
moves elements, asks for nothing (see `lent_tape`). The operation itself gets a copy with the
values, so that threads do not meet in the array's memory.

Not seen: memoryviews, compiled code other than functions of the kernel's own module, and what
puts elements into an array that code elsewhere has allocated. They find poison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinytorch.core.tensor import Tensor
from tinytorch.lab.callables import namespace, python_form
from tinytorch.lab.lent_tape import Fetch, LentTape
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
from tinytorch.lab.tape import owner_of
from tinytorch.lab.watching import watching

# Functions that move elements about, or give views of them.
_LAYOUT = {
    np.array_split, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.block, np.broadcast_arrays,
    np.broadcast_to, np.column_stack, np.concatenate, np.copy, np.diagonal, np.dsplit, np.dstack,
    np.expand_dims, np.flip, np.fliplr, np.flipud, np.hsplit, np.hstack, np.moveaxis, np.ravel,
    np.reshape, np.roll, np.rollaxis, np.rot90, np.split, np.squeeze, np.stack,
    np.swapaxes, np.tile, np.transpose, np.vsplit, np.vstack,
    np.lib.stride_tricks.sliding_window_view, np.lib.stride_tricks.as_strided,
}  # fmt: skip


def run_lent(
    kernel: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], fetch: Fetch
) -> Any:
    """Run `kernel(*args, **kwargs)`, the `Borrowed` among the arguments as lent arrays.

    fetch(name, elements): the values of these elements of an array, counted in row-major order;
    it is called from whatever thread needs them. Compiled functions run as the Python that they
    were made from. The result is made of ordinary arrays.
    """
    function, tape = python_form(kernel), LentTape(fetch, LentArray)
    passed = [tape.borrow(arg) for arg in args]
    options = {name: tape.borrow(arg) for name, arg in kwargs.items()}
    with watching(tape, namespace(function)):
        return tape.real(function(*passed, **options), in_tensors=True)


class LentArray(RecordingArray):
    """An array on a `LentTape`: it asks for what an operation uses, before the operation."""

    _tape: Any
    _place: Any

    def __getitem__(self, index: Any) -> Any:
        tape = self._tape
        if tape is None:
            return np.ndarray.__getitem__(self, index)
        if type(index) is not int:
            index = tape.real(index)
        got = np.ndarray.__getitem__(self, index)
        if isinstance(got, np.generic):
            origin = self._origin()
            code = 0 if origin is None else int(origin[index])
            return got.dtype.type(tape.one(code)) if code else got
        origin = None if is_view(index) else tape.origin(self)
        return got if origin is None else tape.adopt(plain(got), origin[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        tape = self._tape
        if tape is None:
            np.ndarray.__setitem__(self, index, plain(value))
            return
        if type(index) is not int:
            index = tape.real(index)
        bare = plain(self)
        target = bare[index]
        if isinstance(target, np.ndarray) and is_view(index):
            source = value if isinstance(value, np.ndarray | Tensor) else tape.real(value)
            source = source.data if isinstance(source, Tensor) else source
            if not same_memory(plain(source), target):
                tape.assign(target, source)
            return
        bare[index] = tape.real(value)
        origin = self._origin()
        if origin is not None:
            origin[index] = 0

    def _origin(self) -> np.ndarray | None:
        """Where the elements are from; kept, for loops over elements."""
        place = self._place
        if place is None:
            place = self._place = [id(owner_of(self)), None]
        if place[1] is None and place[0] in self._tape.memories:
            place[1] = self._tape.origin(self)
        return place[1]

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


def _pads_zeros(args: Any, kwargs: Any) -> bool:
    mode = args[2] if len(args) > 2 else kwargs.get("mode", "constant")
    return mode == "constant" and "constant_values" not in kwargs
