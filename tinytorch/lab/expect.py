"""Assertions that teach: each says what was tried, what came back, what was expected, and why.

The lesson's test cells are written with these. They make the call themselves, on copies, so that
a kernel that spoils its inputs spoils nothing else. They compare data; how a kernel works is
looked at in `mechanism`.
"""

from __future__ import annotations

import builtins
import functools
import os
import re
import types
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

from tinytorch.core.tensor import Tensor

SEED = "TINYTORCH_GRADING_SEED"  # the environment variable that the grader sets
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # as Numba's errors have
_SHOWN = 12  # elements shown whole in a message; of larger arrays only the first difference


def instances(name: str) -> np.random.Generator:
    """The generator for random instances of one answer's hidden tests.

    Seeded by the number in the environment variable TINYTORCH_GRADING_SEED (0 where there is
    none) and by `name`, so that a grade can be repeated, and no test depends on another.
    """
    text = os.environ.get(SEED, "0")
    if not text.isdecimal():
        raise ValueError(f"{SEED} must be a whole number, 0 or more, got {text!r}")
    return np.random.default_rng([int(text), zlib.crc32(name.encode())])


class LessonNames:
    """Lets checks use what the lesson imported, whatever the reader calls their own things.

    Made from a notebook's globals, it remembers the modules, classes and functions imported so
    far. A check decorated with it sees these, Python's builtins, and of the notebook only names
    that are neither: the answers, as they are when the check runs.

    >>> of_the_lesson = LessonNames({"np": np})
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        kinds = types.ModuleType | types.FunctionType | type | types.BuiltinFunctionType
        self._kept = {
            name: value
            for name, value in names.items()
            if isinstance(value, kinds) and getattr(value, "__module__", None) != "__main__"
        }

    def add(self, **names: Any) -> None:
        """Remember more names."""
        self._kept |= names

    def __call__(self, check: types.FunctionType) -> Callable[..., Any]:
        """The same check, run with those names."""

        @functools.wraps(check)
        def run(*args: Any, **kwargs: Any) -> Any:
            theirs = {k: v for k, v in check.__globals__.items() if not hasattr(builtins, k)}
            names = theirs | self._kept | {"__builtins__": builtins}
            same = types.FunctionType(
                check.__code__, names, check.__name__, check.__defaults__, check.__closure__
            )
            same.__kwdefaults__ = check.__kwdefaults__
            return same(*args, **kwargs)

        return run


def attempt(call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """What `call(*args, **kwargs)` gives; an AssertionError that says what was tried if it raises.

    Of arrays it gets copies.
    """
    tried = _tried(call, args, kwargs)
    return _result(call, _copied(args), _copied(kwargs), tried, "a result")


def expect_values(
    call: Callable[..., Any],
    *args: Any,
    gives: Any,
    cause: str,
    rtol: float = 0.0,
    atol: float = 0.0,
    **kwargs: Any,
) -> None:
    """Assert that `call(*args, **kwargs)` gives this shape and these values, in whatever dtype.

    gives: an array, or a dict of arrays. NaN equals NaN. `rtol` and `atol` bound the difference as
    in `numpy.isclose`; at zero the values must be identical. The AssertionError says what was
    tried, what came back, and ends with `cause`, the likely mistake.
    """
    _expect(call, args, kwargs, gives, cause, rtol, atol, exact=False)


def expect_tensor(
    call: Callable[..., Any],
    *args: Any,
    gives: Any,
    cause: str,
    rtol: float = 0.0,
    atol: float = 0.0,
    **kwargs: Any,
) -> None:
    """`expect_values`, and that the result is a Tensor of the dtype of `gives`."""
    _expect(call, args, kwargs, gives, cause, rtol, atol, exact=True)


def expect_unchanged(call: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Assert that a call leaves its array arguments as they were."""
    copies, options = _copied(args), _copied(kwargs)
    tried = _tried(call, args, kwargs)
    _result(call, copies, options, tried, "any result")
    given, passed = [*args, *kwargs.values()], [*copies, *options.values()]
    for place, (before, after) in enumerate(zip(given, passed, strict=True), start=1):
        old, new = _array(before), _array(after)
        if old is None or new is None:
            continue
        same = old.shape == new.shape and np.array_equal(old, new, equal_nan=old.dtype.kind == "f")
        assert same, (
            f"{tried}: argument {place} was changed, "
            f"{_difference(new, old)}: write into a new array, never into an input"
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
    tried = _tried(call, args, kwargs)
    try:
        result = call(*_copied(args), **_copied(kwargs))
    except NotImplementedError as raised:
        _raise_again(raised, tried, error.__name__)
    except error as raised:
        said = _said(raised)
        missing = [text for text in mentions if text not in said]
        says = "does not say it" if _withheld(raised) else f"says {said!r}"
        told = (
            f"{tried}: the {type(raised).__name__} {says}, expected it to name "
            f"{' and '.join(missing)}: the reader of the message needs the value received"
        )
        if missing:
            raise AssertionError(told) from _shown(raised)
        return
    except Exception as raised:
        raise AssertionError(
            f"{tried}: got {_raised(raised)}, expected {error.__name__}: {cause}"
        ) from _shown(raised)
    raise AssertionError(
        f"{tried}: got {_brief(result)} and no error, expected {error.__name__}: {cause}"
    )


def name_of(call: Callable[..., Any]) -> str:
    """What a message calls a function; an object without a name goes by its class."""
    return getattr(call, "__name__", type(call).__name__)


def describe(call: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> str:
    """A call as a reader would write it, small arrays with their values, others by their shape."""
    words = [_brief(value) for value in args]
    words += [f"{key}={_brief(value)}" for key, value in kwargs.items()]
    return f"{name_of(call)}({', '.join(words)})"


def _expect(
    call: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    gives: Any,
    cause: str,
    rtol: float,
    atol: float,
    exact: bool,
) -> None:
    tried = _tried(call, args, kwargs)
    got = _result(call, _copied(args), _copied(kwargs), tried, _Later(lambda: _brief(gives)))
    if not isinstance(gives, dict):
        _compare(got, np.asarray(gives), tried, cause, rtol, atol, exact)
        return
    assert isinstance(got, dict), (
        f"{tried}: got {_kind(got)}, expected a dict with the keys {sorted(gives)}"
    )
    assert set(got) == set(gives), (
        f"{tried}: got the keys [{', '.join(sorted(map(_brief, got)))}], expected "
        f"{sorted(gives)}: are they spelt as in the docstring?"
    )
    for key, value in gives.items():
        where = _Later(lambda key=key: f"{tried}[{key!r}]")  # type: ignore[misc]
        _compare(got[key], np.asarray(value), where, cause, rtol, atol, exact)


class _Later:
    """A text for a message: most are never read, and arrays take long to write."""

    def __init__(self, write: Callable[[], str]) -> None:
        self._write = write

    def __str__(self) -> str:
        return self._write()


_Text = str | _Later


def _tried(call: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> _Later:
    return _Later(lambda: f"tried {describe(call, args, kwargs)}")


def _result(call: Callable[..., Any], args: Any, kwargs: Any, tried: _Text, expected: _Text) -> Any:
    try:
        return call(*args, **kwargs)
    except (NotImplementedError, AssertionError) as raised:
        return _raise_again(raised, tried, expected)
    except Exception as raised:
        raise AssertionError(
            f"{tried}: got {_raised(raised)}, expected {expected}: {_cause_of(raised)}"
        ) from _shown(raised)


def _cause_of(error: Exception) -> str:
    """The likely mistake, as far as an error's class and what is missing tell."""
    if isinstance(error, ImportError):
        return "is everything that the answer imports part of the course's packages?"
    if isinstance(error, NameError):
        return "is a name misspelt, or was the cell that defines it not run?"
    if "memoryview" in _said(error):
        return (
            "is .data taken of an array? Of a Tensor it is the array, of an array its raw memory; "
            "as_array takes both"
        )
    return "does the answer take these arguments, and every line of it these shapes and dtypes?"


def _compare(
    got: Any, expected: np.ndarray, tried: _Text, cause: str, rtol: float, atol: float, exact: bool
) -> None:
    assert got is not None, f"{tried}: got None, expected a Tensor: is the return missing?"
    if exact:
        assert isinstance(got, Tensor), (
            f"{tried}: got {_kind(got)}, expected a Tensor: is the result wrapped in Tensor(...)?"
        )
    data = _array(got)
    assert data is not None, f"{tried}: got {_brief(got)}, expected {_brief(expected)}: {cause}"
    assert data.shape == expected.shape, (
        f"{tried}: got shape {data.shape}, expected {expected.shape}: {cause}"
    )
    if exact:
        assert data.dtype == expected.dtype, (
            f"{tried}: got dtype {data.dtype}, expected {expected.dtype}: did a constant or a "
            f"fresh array change the dtype? ({cause})"
        )
    if rtol or atol:
        same = np.isclose(data, expected, rtol=rtol, atol=atol, equal_nan=True)
    else:
        same = (data == expected) | ((data != data) & (expected != expected))
    assert np.all(same), f"{tried}: {_difference(data, expected, same)}: {cause}"


def _array(value: Any) -> np.ndarray | None:
    """A Tensor's, an array's or a NumPy number's data; None for anything else."""
    value = value.data if isinstance(value, Tensor) else value
    return np.asarray(value) if isinstance(value, np.ndarray | np.generic) else None


def _copied(values: Any) -> Any:
    """The same in memory of its own, with the same strides, and read-only where it was."""
    copy = _copy(values)
    if isinstance(values, np.ndarray):
        copy.flags.writeable = values.flags.writeable
    return copy


def _copy(values: Any) -> Any:
    if isinstance(values, tuple):
        return tuple(map(_copied, values))
    if isinstance(values, dict):
        return {key: _copied(value) for key, value in values.items()}
    if isinstance(values, Tensor):
        return Tensor(np.copy(values.data, order="K"))
    if not isinstance(values, np.ndarray):
        return values
    if values.flags.forc or values.base is None:
        return np.copy(values, order="K")
    # A view stays a view of something larger, with the same strides.
    base = values.base
    if isinstance(base, np.ndarray) and base.flags.forc and not values.flags.owndata:
        offset = values.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        fresh = np.copy(base, order="K")
        return np.ndarray(values.shape, values.dtype, fresh, offset, values.strides)
    return np.copy(values, order="K")


def _difference(got: np.ndarray, expected: np.ndarray, same: Any = None) -> str:
    if got.shape != expected.shape:
        return f"got shape {got.shape}, expected {expected.shape}"
    if got.size <= _SHOWN:
        return f"got {got.tolist()}, expected {expected.tolist()}"
    if same is None:
        same = (got == expected) | ((got != got) & (expected != expected))
    where = tuple(int(i) for i in np.argwhere(~same)[0])
    wrong = int(np.size(same) - np.count_nonzero(same))
    return (
        f"at {list(where)} got {got[where]}, expected {expected[where]} "
        f"({wrong} of {got.size} elements differ)"
    )


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_brief(entry)}" for key, entry in value.items()) + "}"
    data = _array(value)
    if data is not None:
        if data.size <= _SHOWN:
            return f"{data.tolist()} ({data.dtype})"
        return f"an array of shape {data.shape}, {data.dtype}"
    if callable(value):
        return name_of(value)
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _kind(value: Any) -> str:
    """What a message calls a value's class; of what stays in another process nobody knows it."""
    if hasattr(type(value), "__judged__"):
        return "an object of the answer"
    return f"a {type(value).__name__}"


def _withheld(error: BaseException) -> bool:
    """Whether the text of an error must not be shown.

    The answer's code has written it, and may have put a hidden test's inputs into it. Whoever
    passes on errors of other processes sets the attribute `withheld` to it, in place of the text.
    """
    return getattr(error, "withheld", None) is not None


def _said(error: BaseException) -> str:
    """The text of an error, to look into it."""
    return str(error.withheld) if _withheld(error) else str(error)  # type: ignore[attr-defined]


def _shown(error: Exception) -> Exception | None:
    """The error as the cause of another, if it may be shown."""
    return None if _withheld(error) else error


def _raise_again(error: Exception, tried: _Text, expected: _Text) -> NoReturn:
    """Raise an answer's own NotImplementedError or AssertionError, without what is withheld."""
    if not _withheld(error):
        raise error
    kind = NotImplementedError if isinstance(error, NotImplementedError) else AssertionError
    raise kind(f"{tried}: got {_raised(error)}, expected {expected}: is it written?") from None


def _raised(error: Exception) -> str:
    if _withheld(error):
        return type(error).__name__
    text = _first_words(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _first_words(error: Exception) -> str:
    """The first line of an error's text; of Numba's the one that says what it could not do."""
    lines = [line.strip() for line in _COLOURS.sub("", str(error)).splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].startswith("Failed in nopython mode"):
        return " ".join(lines[1:3])[:200]
    return lines[0][:200] if lines else ""
