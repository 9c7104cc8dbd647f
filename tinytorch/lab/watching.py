"""NumPy as a traced kernel sees it: what the kernel allocates and converts is recorded too."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinytorch.core import tensor
from tinytorch.core.tensor import Tensor
from tinytorch.lab.recording import RecordingArray, derived, plain, tape_of, watched
from tinytorch.lab.tape import Tape


@contextmanager
def watching(tape: Tape, names: dict[str, Any] | None) -> Iterator[None]:
    """While this lasts, arrays that code with these globals allocates or converts go on the tape.

    `np.zeros` and `np.asarray` give plain ndarrays and ask nobody. So, for the time of the run,
    the name `np` means a copy of NumPy's namespace with other constructors, in the kernel's own
    module and where `Tensor` takes its data; NumPy itself stays as it is. Compiled (Numba)
    functions among the globals are replaced by their Python forms.
    """
    made = {id(getattr(np, name)): made for name, made in _constructors(tape).items()}
    made |= {id(original): stand_in for original, stand_in in tape.stand_ins()}
    numpy = types.ModuleType("numpy")
    vars(numpy).update({name: made.get(id(value), value) for name, value in vars(np).items()})
    stand_ins: dict[int, Any] = {id(np): numpy} | made
    swapped: list[tuple[dict[str, Any], str, Any, Any]] = []
    for space in {id(s): s for s in (names, vars(tensor)) if s is not None}.values():
        for name, value in list(space.items()):
            if id(value) in stand_ins:
                swapped.append((space, name, value, stand_ins[id(value)]))
            elif isinstance(getattr(value, "py_func", None), types.FunctionType):
                swapped.append((space, name, value, value.py_func))
    try:
        for space, name, _, stand_in in swapped:
            space[name] = stand_in
        yield
    finally:
        tape.open = False
        for space, name, value, stand_in in swapped:
            if space.get(name) is stand_in:  # unless the kernel itself has rebound it
                space[name] = value


def _constructors(tape: Tape) -> dict[str, Callable[..., Any]]:
    def allocating(original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: watched(tape, plain(original(*args, **kwargs)))

    def converting(original: Callable[..., Any]) -> Callable[..., Any]:
        def convert(data: Any, *args: Any, **kwargs: Any) -> Any:
            source = plain(data)
            if tape_of(data) is not tape:
                return original(data, *args, **kwargs)
            return derived(tape, original.__name__, [source], original(source, *args, **kwargs))

        return convert

    new = {name: allocating(getattr(np, name)) for name in ("empty", "zeros", "ones", "full")}
    taken = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")
    return new | {name: converting(getattr(np, name)) for name in taken}


def stripped(value: Any) -> Any:
    """A kernel's result without recording arrays: in Tensors, tuples, lists and dicts too."""
    if isinstance(value, Tensor):
        return Tensor(plain(value)) if isinstance(value.data, RecordingArray) else value
    if isinstance(value, dict):
        return {key: stripped(entry) for key, entry in value.items()}
    if type(value) in (tuple, list):
        return type(value)(map(stripped, value))
    return plain(value)
