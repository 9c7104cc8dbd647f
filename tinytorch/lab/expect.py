"""Assertions that teach: each says what came back, what was expected and the likely cause.

The lesson's test cells are written with these. They compare data only; what a kernel does while
it runs (reads, threads, clocks) is not observed here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.core.tensor import Tensor

_SHOWN = 8  # elements shown whole in a message; of larger arrays only the first difference


def _brief(value: Any) -> str:
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, np.ndarray):
        if value.size <= _SHOWN:
            return f"{value.tolist()} ({value.dtype})"
        return f"an array of shape {value.shape}, {value.dtype}"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _first_difference(got: np.ndarray, expected: np.ndarray, same: np.ndarray) -> str:
    if got.size <= _SHOWN:
        return f"got {got.tolist()}, expected {expected.tolist()}"
    where = tuple(int(i) for i in np.argwhere(~same)[0])
    wrong = int(np.size(same) - np.count_nonzero(same))
    return (
        f"at {list(where)} got {got[where]}, expected {expected[where]} "
        f"({wrong} of {got.size} elements differ)"
    )


def expect_tensor(
    got: Any, expected: np.ndarray, cause: str, *, rtol: float = 0.0, atol: float = 0.0
) -> None:
    """Assert that `got` is a Tensor of the shape, dtype and values of `expected`.

    NaN equals NaN. `rtol` and `atol` bound the difference as in `numpy.isclose`; at zero the
    values must be identical. The AssertionError ends with `cause`, the likely mistake.
    """
    expected = np.asarray(expected)
    assert got is not None, "got None, expected a Tensor: is the return missing?"
    assert isinstance(got, Tensor), (
        f"got {type(got).__name__}, expected a Tensor: is the result wrapped in Tensor(...)?"
    )
    data = got.data
    assert data.shape == expected.shape, (
        f"got shape {data.shape}, expected {expected.shape}: {cause}"
    )
    assert data.dtype == expected.dtype, (
        f"got dtype {data.dtype}, expected {expected.dtype}: did a constant or a fresh array "
        "change the dtype?"
    )
    same = (
        np.isclose(data, expected, rtol=rtol, atol=atol, equal_nan=True)
        if expected.dtype.kind == "f"
        else data == expected
    )
    assert np.all(same), f"{_first_difference(data, expected, same)}: {cause}"


def expect_unchanged(array: np.ndarray, before: np.ndarray, name: str) -> None:
    """Assert that an input still holds what it held before the call."""
    assert array.shape == before.shape, (
        f"{name} was changed: shape {array.shape}, was {before.shape}"
    )
    same = (array == before) | ((array != array) & (before != before))
    assert np.all(same), (
        f"{name} was changed, {_first_difference(array, before, same)}: "
        "write into a new array, never into an input"
    )


def expect_error(
    error: type[Exception],
    call: Callable[..., Any],
    *args: Any,
    mentions: tuple[str, ...] = (),
    cause: str,
    **kwargs: Any,
) -> None:
    """Assert that the call raises `error` with a message that contains every one of `mentions`."""
    try:
        result = call(*args, **kwargs)
    except NotImplementedError:
        raise
    except error as raised:
        missing = [text for text in mentions if text not in str(raised)]
        assert not missing, (
            f"the {error.__name__} says {str(raised)!r}, expected it to name "
            f"{' and '.join(missing)}: the reader of the message needs the value received"
        )
        return
    except Exception as raised:
        raise AssertionError(
            f"got {type(raised).__name__}: {raised}, expected {error.__name__}: {cause}"
        ) from raised
    raise AssertionError(f"got {_brief(result)} and no error, expected {error.__name__}: {cause}")
