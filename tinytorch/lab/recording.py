"""Arrays that write down which of their elements a kernel touches, and in what order.

A RecordingArray is an ndarray whose every element access, operation and copy goes onto a Tape.
Cutting a view (a slice, `.T`, a reshape) touches nothing and is not written down: what counts is
when the elements are used, and where in memory they lie. What to make of the tape is the business
of `trace` and `cache_model`.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.core.tensor import Tensor
from tinytorch.lab.tape import WRITE, Block, Tape, arrays_in, owner_of

# Functions that look at shapes and dtypes only, or print.
NO_DATA = {
    np.result_type, np.can_cast, np.min_scalar_type, np.common_type, np.iscomplexobj,
    np.isrealobj, np.shape, np.ndim, np.size, np.shares_memory, np.may_share_memory,
    np.empty_like, np.zeros_like, np.ones_like, np.full_like,
    np.array_repr, np.array_str, np.array2string,
}  # fmt: skip
WRITES_FIRST = {np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal}


class RecordingArray(np.ndarray):
    """An ndarray on a tape. It keeps its tape through views; results of operations get it too."""

    _tape: Tape | None
    _place: tuple[Block, int] | None

    def __array_finalize__(self, parent: Any) -> None:
        self._tape = getattr(parent, "_tape", None)
        self._place = None

    def __getitem__(self, index: Any) -> Any:
        got = np.ndarray.__getitem__(self, index)
        tape = self._tape
        if tape is None or not tape.open:
            return got
        if isinstance(got, np.generic):
            whole = index if type(index) is tuple else (index,)
            try:
                tape.element(self, whole, 0)
            except (TypeError, ValueError):  # an index with an ellipsis or the like
                tape.extend("index", [np.atleast_1d(tape.codes_of(self)[plain(index)])])
        elif not is_view(index):
            codes = tape.codes_of(self)[plain(index)]
            bare = plain(got)
            tape.extend("index", [np.stack([codes, tape.codes_of(bare) | WRITE], axis=-1)])
        return got

    def __setitem__(self, index: Any, value: Any) -> None:
        tape = self._tape
        if tape is None or not tape.open:
            np.ndarray.__setitem__(self, index, plain(value))
            return
        bare, source = plain(self), plain(value)
        target = bare[plain(index)]
        if isinstance(target, np.generic):
            bare[plain(index)] = source
            whole = index if type(index) is tuple else (index,)
            try:
                tape.element(self, whole, WRITE)
            except (TypeError, ValueError):
                tape.extend("assign", [np.atleast_1d(tape.codes_of(bare)[plain(index)]) | WRITE])
            return
        # `C[i] += x` ends by putting C[i] where it already is.
        if same_memory(source, target):
            return
        bare[plain(index)] = source
        if is_view(index):
            sources = [np.broadcast_to(source, target.shape)] if arrays_in(source) else []
            tape.operation("assign", sources, [target])
        else:
            tape.operation("assign", [source], [])
            tape.extend("assign", [tape.codes_of(bare)[plain(index)] | WRITE])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", ())
        tape = next((t for t in map(tape_of, (*inputs, *out)) if t is not None), None)
        bare = [plain(x) for x in inputs]
        if out:
            kwargs["out"] = tuple(plain(x) for x in out)
        if "where" in kwargs:
            kwargs["where"] = plain(kwargs["where"])
        result = getattr(ufunc, method)(*bare, **kwargs)
        if tape is None or not tape.open:
            return out[0] if len(out) == 1 else result
        written = [bare[0]] if method == "at" else arrays_in([result])
        elementwise = method == "__call__" and ufunc.signature is None
        tape.operation(ufunc.__name__, [*bare, kwargs.get("where")], written, elementwise)
        if len(out) == 1 and out[0] is not None:
            return out[0]
        return watched(tape, result)

    def __array_function__(self, func: Any, _: Any, args: Any, kwargs: Any) -> Any:
        bare, options = without(args), without(kwargs)
        result = func(*bare, **options)
        tape = self._tape
        if tape is None or not tape.open:
            return result
        if func in NO_DATA:
            return watched(tape, result)
        out = options.pop("out", bare[2] if func is np.dot and len(bare) > 2 else None)
        if func in WRITES_FIRST:
            tape.operation(func.__name__, [bare[1:], options], bare[:1])
        elif out is None:
            return derived(tape, func.__name__, [bare, options], result)
        else:
            read = [x for x in arrays_in([bare, options]) if x is not out]
            tape.operation(func.__name__, read, [out])
        return result if out is None else kwargs.get("out", args[-1])

    @property
    def flat(self) -> Any:
        """NumPy's iterator; it counts as reading everything at once."""
        if self._tape is not None:
            self._tape.operation("flat", [plain(self)], [])
        return plain(self).flat

    @flat.setter
    def flat(self, values: Any) -> None:
        plain(self).flat = plain(values)
        if self._tape is not None:
            self._tape.operation("flat", [plain(values)], [plain(self)])

    def __repr__(self) -> str:
        return repr(plain(self))

    def __str__(self) -> str:
        return str(plain(self))

    def __reduce__(self) -> Any:
        return plain(self).__reduce__()  # another process has no tape


def _method(name: str, writes: bool) -> Callable[..., Any]:
    """The ndarray method of this name, put on the tape; NumPy itself offers no hook for these."""
    method = getattr(np.ndarray, name)

    def recorded(self: RecordingArray, *args: Any, **kwargs: Any) -> Any:
        bare, args, kwargs = plain(self), without(args), without(kwargs)
        result = method(bare, *args, **kwargs)
        tape = self._tape
        if tape is None:
            return result
        if writes:
            tape.operation(name, [args, kwargs], [bare])
            return result
        sources = [bare, args[:1]] if name == "dot" else [bare, args, kwargs]
        return derived(tape, name, sources, result)

    recorded.__name__, recorded.__doc__ = name, method.__doc__
    return recorded


# Reductions, clip and the operators are not here: NumPy runs them through ufuncs.
for _name in (
    "argmax", "argmin", "argpartition", "argsort", "astype", "byteswap", "choose", "compress",
    "copy", "cumprod", "cumsum", "dot", "flatten", "item", "nonzero", "ravel", "repeat", "reshape",
    "searchsorted", "take", "tobytes", "tolist", "trace", "__copy__", "__deepcopy__",
):  # fmt: skip
    setattr(RecordingArray, _name, _method(_name, writes=False))
for _name in ("fill", "partition", "put", "sort"):
    setattr(RecordingArray, _name, _method(_name, writes=True))


def watched(tape: Tape, result: Any) -> Any:
    """The same with every ndarray in it recording; what is no ndarray is left alone."""
    if type(result) is np.ndarray and tape.open:
        view: Any = result.view(tape.array or RecordingArray)
        view._tape = tape
        return view
    if type(result) in (tuple, list):
        return type(result)(watched(tape, entry) for entry in result)
    return result


def derived(tape: Tape, name: str, sources: Sequence[Any], result: Any) -> Any:
    """The result of something that reads the sources, or merely gives a view of them."""
    if not tape.open:
        return result
    owners = {id(owner_of(x)) for x in arrays_in(sources)}
    fresh = [x for x in arrays_in([result]) if id(owner_of(x)) not in owners]
    if fresh or not arrays_in([result]):
        tape.operation(name, sources, fresh)
    return watched(tape, result)


def plain(x: Any) -> Any:
    """The ndarray behind a recording array or a Tensor; anything else as it is."""
    if isinstance(x, tuple):
        return tuple(map(plain, x))
    x = x.data if isinstance(x, Tensor) else x
    return x.view(np.ndarray) if isinstance(x, RecordingArray) else x


def without(value: Any, instead: Callable[[Any], Any] = plain) -> Any:
    """Arguments of a NumPy function without recording arrays: `instead` of every entry."""
    if type(value) is list:
        return [without(entry, instead) for entry in value]
    if type(value) is tuple:
        return tuple(without(entry, instead) for entry in value)
    if type(value) is dict:
        return {key: without(entry, instead) for key, entry in value.items()}
    return instead(value)


def tape_of(x: Any) -> Tape | None:
    """The tape that an array, or the array in a Tensor, writes on; None for any other."""
    return getattr(x.data if isinstance(x, Tensor) else x, "_tape", None)


def is_view(index: Any) -> bool:
    """Whether indexing with it gives a view: no lists, arrays or bools in it."""
    parts = index if type(index) is tuple else (index,)
    basic = (int, np.integer, slice, types.NoneType, types.EllipsisType)
    return all(isinstance(part, basic) and not isinstance(part, bool) for part in parts)


def same_memory(x: Any, y: np.ndarray) -> bool:
    """Whether x is an array of the same elements in the same memory."""

    def place(a: np.ndarray) -> Any:
        return a.__array_interface__["data"][0], a.shape, a.strides, a.dtype

    return isinstance(x, np.ndarray) and place(x) == place(y) and math.prod(y.shape) > 0
