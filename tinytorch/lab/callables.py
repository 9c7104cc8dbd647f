"""The Python function behind a callable: what can be watched line by line and access by access."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any


def python_form(function: Callable[..., Any]) -> Callable[..., Any]:
    """What Python can run of it: of a compiled (Numba) function, the function it was made from."""
    if isinstance(function, partial):
        return partial(python_form(function.func), *function.args, **function.keywords)
    return getattr(function, "py_func", function)


def namespace(function: Callable[..., Any]) -> dict[str, Any] | None:
    """The globals that the function sees, which all cells of a notebook share; None if it is in C.

    Partials, decorators made with `functools.wraps`, methods and callable objects are looked
    through.
    """
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(python_form(function))
    function = getattr(function, "__func__", function)
    if not hasattr(function, "__globals__"):
        function = type(function).__call__
    return getattr(function, "__globals__", None)
