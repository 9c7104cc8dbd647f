"""Values that may travel between a judge and a student's process, and trees that only look so."""

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinytorch.core.compression import SparseMatrix, to_sparse
from tinytorch.core.tensor import Tensor

DTYPES = [np.dtype(np.dtype(code).str) for code in "?bBhHiIqQefdFD"]
PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray, range, type(...))
NUMBERS = tuple(dtype.type for dtype in DTYPES)

numbers = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.integers(),
    st.sampled_from([2**53, -(2**53), 2**64, 2**61 - 1, 7**400]),
    st.floats(),
    st.complex_numbers(),
)
texts = st.one_of(st.text(max_size=6), st.sampled_from(["", "\x00", "\U0001f600", "é"]))
shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@st.composite
def arrays(draw: Any) -> np.ndarray:
    """Arrays of every dtype that may travel, of every layout, some read-only."""
    dtype, shape = draw(st.sampled_from(DTYPES)), draw(shapes)
    values = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    if draw(st.booleans()) and dtype.kind in "fc" and values.size:
        values.flat[0] = draw(st.sampled_from([np.nan, np.inf, -np.inf, -0.0]))
    if draw(st.booleans()):
        values = values.T
    if draw(st.booleans()) and values.ndim:
        values = values[:: draw(st.sampled_from([2, -1, -2]))]
    if draw(st.booleans()):
        values.flags.writeable = False
    return values


def _tensor(array: np.ndarray) -> Tensor:
    tensor = Tensor(0)
    tensor.data = array  # of any dtype, complex numbers too
    return tensor


scalars = st.builds(lambda dtype, n: dtype.type(n), st.sampled_from(DTYPES), st.integers(0, 1))
hashable = st.recursive(  # a NaN's place in a set is its address's, another in each example
    numbers.filter(lambda number: number == number) | texts | scalars | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.lists(inner, max_size=2).map(frozenset)
    ),
    max_leaves=4,
)
leaves = st.one_of(
    hashable,
    arrays(),
    st.builds(_tensor, arrays()),
    st.binary(max_size=4).map(bytearray),
    st.builds(range, st.integers(-5, 5), st.integers(-5, 5), st.sampled_from([1, 2, -3])),
    st.builds(slice, numbers, numbers, numbers),
    st.just(...),
    st.sampled_from(DTYPES),
    st.just(to_sparse(np.eye(3, dtype=np.float32))),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(hashable, inner, max_size=3),
        st.lists(hashable, max_size=3).map(set),
    ),
    max_leaves=8,
)


def only_data(value: Any, others: tuple[type, ...] = ()) -> bool:
    """Whether a value is made of data alone: of exactly the types that may travel."""
    kind = type(value)
    if kind in PLAIN or kind in NUMBERS or kind in others:
        return True
    if kind in (list, tuple, set, frozenset):
        return all(only_data(part, others) for part in value)
    if kind is dict:
        return all(only_data(part, others) for pair in value.items() for part in pair)
    if kind is slice:
        return only_data([value.start, value.stop, value.step], others)
    if kind is np.ndarray:
        return value.dtype in DTYPES and value.dtype.isnative
    if kind is Tensor:
        return type(value.data) is np.ndarray and only_data(value.data)
    if kind is SparseMatrix:
        return only_data([value.shape, value.indptr, value.indices, value.values])
    return isinstance(value, np.dtype) and value in DTYPES


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same in everything that can be seen: types, bits, order."""
    if isinstance(one, np.dtype):
        return one == other
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same([part for pair in one.items() for part in pair],
                    [part for pair in other.items() for part in pair])  # fmt: skip
    if isinstance(one, set | frozenset):
        return len(one) == len(other) and all(any(same(a, b) for b in other) for a in one)
    if isinstance(one, slice):
        return same([one.start, one.stop, one.step], [other.start, other.stop, other.step])
    if isinstance(one, Tensor):
        return same(one.data, other.data)
    if isinstance(one, SparseMatrix):
        return all(same(getattr(one, n), getattr(other, n)) for n in vars(one))
    if isinstance(one, np.ndarray | np.generic):
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if isinstance(one, float):
        return repr(one) == repr(other)
    return repr(one) == repr(other) if isinstance(one, complex) else bool(one == other)
