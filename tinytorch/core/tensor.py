"""The Tensor, and the argument checks that the whole package shares.

A Tensor is a thin, typed wrapper around one NumPy array. There is no autograd here and no
storage of its own: kernels read ``.data`` and wrap what they computed.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

ArrayLike: TypeAlias = "Tensor | npt.ArrayLike"

# NumPy's kind letters for bool, signed, unsigned and floating-point.
_REAL_KINDS = frozenset("biuf")
_FLOAT32 = np.dtype(np.float32)
_new = object.__new__


class Tensor:
    """An n-dimensional array of real numbers.

    data: an ndarray is wrapped without copying and keeps its dtype, and so does a NumPy scalar;
    another Tensor shares its array; Python numbers and nested lists of them become float32
    (bools stay bool).
    dtype: converts the array, copying it only where the dtype differs.

    Raises TypeError for anything but bool, integer and floating-point numbers, and ValueError
    for ragged lists and for Python numbers too large for float32.
    """

    __array_priority__ = 1000.0  # so that ndarray + Tensor asks the Tensor
    __slots__ = ("data",)

    data: np.ndarray

    def __init__(self, data: ArrayLike, dtype: npt.DTypeLike | None = None) -> None:
        # A kernel wraps its result at every call, so the usual cases stay inline; to ask for the
        # one dtype first saves a third of 0.35 us.
        if (
            dtype is None
            and type(data) is np.ndarray
            and (data.dtype is _FLOAT32 or data.dtype.kind in _REAL_KINDS)
        ):
            self.data = data
        else:
            self.data = _convert(data, dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy dtype of the elements."""
        return self.data.dtype

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.data.size

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.data.ndim

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take."""
        return self.data.nbytes

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.data.itemsize

    @property
    def T(self) -> Tensor:
        """The axes reversed: a view of the same memory."""
        return Tensor(self.data.T)

    def numpy(self) -> np.ndarray:
        """The wrapped array itself, not a copy."""
        return self.data

    def item(self) -> bool | int | float:
        """The only element as a Python number; ValueError unless there is exactly one."""
        if self.size != 1:
            raise ValueError(f"item() needs exactly one element, got shape {self.shape}")
        return self.data.item()

    def reshape(self, *shape: int) -> Tensor:
        """The same elements in row-major order under another shape; a view where possible."""
        return Tensor(self.data.reshape(*shape))

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        # Without this, truth would be "len > 0", which NumPy users do not expect.
        return bool(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        # Without this, iterating over a 0-d Tensor would silently yield nothing.
        return map(Tensor, iter(self.data))

    def __getitem__(self, index: Any) -> Tensor:
        return Tensor(self.data[index.data if isinstance(index, Tensor) else index])

    def __repr__(self) -> str:
        body = np.array2string(self.data, separator=", ", prefix="Tensor(")
        return f"Tensor({body}, dtype={self.data.dtype})"

    def __add__(self, other: ArrayLike) -> Tensor:
        return Tensor(self.data + _operand(other))

    def __radd__(self, other: ArrayLike) -> Tensor:
        return Tensor(_operand(other) + self.data)

    def __sub__(self, other: ArrayLike) -> Tensor:
        return Tensor(self.data - _operand(other))

    def __rsub__(self, other: ArrayLike) -> Tensor:
        return Tensor(_operand(other) - self.data)

    def __mul__(self, other: ArrayLike) -> Tensor:
        return Tensor(self.data * _operand(other))

    def __rmul__(self, other: ArrayLike) -> Tensor:
        return Tensor(_operand(other) * self.data)

    def __truediv__(self, other: ArrayLike) -> Tensor:
        return Tensor(self.data / _operand(other))

    def __rtruediv__(self, other: ArrayLike) -> Tensor:
        return Tensor(_operand(other) / self.data)

    def __matmul__(self, other: ArrayLike) -> Tensor:
        return Tensor(self.data @ as_array(other))

    def __rmatmul__(self, other: ArrayLike) -> Tensor:
        return Tensor(as_array(other) @ self.data)

    def __neg__(self) -> Tensor:
        return Tensor(-self.data)


def tensor_of(array: np.ndarray) -> Tensor:
    """Tensor(array) without its checks, for an array that a kernel has just made: 0.1 us less."""
    tensor = _new(Tensor)
    tensor.data = array
    return tensor


def as_array(x: ArrayLike) -> np.ndarray:
    """The ndarray behind a Tensor or array-like, by the rules of `Tensor`.

    Nothing is copied for a Tensor or an ndarray, so treat the result as read-only.
    Raises TypeError and ValueError as `Tensor` does.
    """
    if type(x) is Tensor:
        return x.data
    if type(x) is np.ndarray and x.dtype.kind in _REAL_KINDS:
        return x
    return _convert(x, None)


def positive_int(name: str, value: Any) -> int:
    """`value` as an int of at least 1; `name` is what the error message calls it.

    Raises ValueError for a number that is not a whole number of at least 1 and TypeError for
    what is no number, bools included.
    """
    requirement = f"{name} must be a whole number of at least 1, got {value!r}"
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{requirement}, a bool")
    try:
        number = operator.index(value)
    except TypeError:
        if isinstance(value, numbers.Number):
            raise ValueError(requirement) from None
        raise TypeError(f"{requirement}, a {type(value).__name__}") from None
    if number < 1:
        raise ValueError(requirement)
    return number


def _operand(other: ArrayLike) -> Any:
    """The other side of an operator; Python numbers stay weak, so the Tensor's dtype decides."""
    return other if type(other) in (bool, int, float) else as_array(other)


def _convert(data: Any, dtype: npt.DTypeLike | None) -> np.ndarray:
    """The general case of `Tensor` and `as_array`."""
    if isinstance(data, Tensor):
        data = data.data
    if isinstance(data, np.ma.MaskedArray):
        raise TypeError("a Tensor has no mask: call .filled(value) on the masked array first")
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(
            f"a Tensor needs rows of equal length, got a ragged {type(data).__name__}: {error}"
        ) from None
    kind = array.dtype.kind
    # NumPy falls back to object for Python integers beyond 64 bits, which float32 still holds.
    if kind == "O" and array.size and all(type(v) in (int, float) for v in array.flat):
        kind = "i"
    if kind not in _REAL_KINDS:
        raise TypeError(f"a Tensor holds bool, integer or float numbers, got {_describe(data)}")
    if dtype is not None:
        target = np.dtype(dtype)
        if target.kind not in _REAL_KINDS:
            raise TypeError(f"a Tensor's dtype is bool, integer or float, got {target}")
        return array.astype(target, copy=False)
    # np.float64 is a Python float too, but a NumPy scalar keeps its dtype.
    from_python = isinstance(data, int | float | list | tuple | range)
    if from_python and kind != "b" and not isinstance(data, np.generic):
        return _to_float32(array)
    return array


def _to_float32(array: np.ndarray) -> np.ndarray:
    """Python numbers as float32; ValueError rather than a silent infinity."""
    try:
        with np.errstate(over="raise", under="ignore"):
            return array.astype(np.float32)
    except (FloatingPointError, OverflowError):
        raise ValueError(
            f"Python numbers become float32, whose largest value is {np.finfo(np.float32).max}; "
            "got a larger one: pass a float64 ndarray instead"
        ) from None


def _describe(data: Any) -> str:
    """What was received, in a few words."""
    if isinstance(data, np.ndarray):
        return f"an ndarray of dtype {data.dtype}"
    text = repr(data)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(data).__name__})"
