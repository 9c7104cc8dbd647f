"""Lets cells that are run again find what Numba compiled of them before."""

import sys
from typing import Any


class _Shared:
    """Dispatchers of Numba that reference cells make again: the compiled ones are given back.

    The same function, made of the same code over the very same globals, compiles to the same
    machine code. Whoever changes one of those (a student's helper of the same name) gets a new
    dispatcher, as ever. Without this, every try would compile the expert answers anew.
    """

    def __init__(self, original: Any, namespace: dict[str, Any]) -> None:
        self.original, self.namespace = original, namespace
        self.made: list[tuple[Any, ...]] = []

    def __call__(self, py_func: Any, **options: Any) -> Any:
        apart = py_func.__closure__ or py_func.__kwdefaults__
        if py_func.__globals__ is not self.namespace or apart:
            return self.original(py_func=py_func, **options)
        used = {name: self.namespace.get(name) for name in _names(py_func.__code__)}
        used["<defaults>"], used["<options>"] = py_func.__defaults__, repr(options)
        for code, known, made in self.made:
            if code == py_func.__code__ and _same(known, used):
                return made
        made = self.original(py_func=py_func, **options)
        self.made.append((py_func.__code__, used, made))
        return made


def _names(code: Any) -> set[str]:
    inner = (const for const in code.co_consts if hasattr(const, "co_names"))
    return set(code.co_names).union(*map(_names, inner))


def _same(known: dict[str, Any], used: dict[str, Any]) -> bool:
    plain = (int, float, str, bool)

    def equal(a: Any, b: Any) -> bool:
        if a is b:
            return True
        if type(a) is tuple and type(b) is tuple:
            return len(a) == len(b) and all(map(equal, a, b))
        return type(a) is type(b) and type(a) in plain and bool(a == b)

    return known.keys() == used.keys() and all(equal(known[name], used[name]) for name in known)


def share_compiled(namespace: dict[str, Any]) -> bool:
    """Have `numba.jit` make its dispatchers by `_Shared`, once Numba is there; whether it is."""
    if "numba" not in sys.modules:
        return False
    from numba.core import target_extension

    original = target_extension.resolve_dispatcher_from_str
    shared = _Shared(original("cpu"), namespace)
    target_extension.resolve_dispatcher_from_str = lambda target: (
        shared if target == "cpu" else original(target)
    )
    return True
