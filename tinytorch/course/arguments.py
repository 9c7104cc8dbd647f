"""What a call has made of its arguments: noted where it ran, and done again where it was asked for.

Arguments travel by value, so what a function does to them has to travel back. Both sides count what
can be changed in place in the order in which they meet it (`Encoder.given`, `Decoder.given`).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.core.tensor import Tensor
from tinytorch.course.wire import Decoder, Encoder, WireError


class Before:
    """How the arguments of a call were when it began."""

    def __init__(self, decoder: Decoder) -> None:
        memory = decoder.memory
        self._were = [(value, _state(value), memory.get(id(value))) for value in decoder.given]

    def changes(self, encoder: Encoder, keep: Callable[[Any], Any]) -> dict[str, Any]:
        """The trees of what is no longer as it was, by its place.

        keep: makes the tree of what is no data, which an argument may have come to hold.
        """

        def tree(value: Any) -> Any:
            try:
                return encoder.encode(value)
            except WireError:
                return keep(value)

        return {
            str(place): _tree(value, encoder, tree)
            for place, (value, before, memory) in enumerate(self._were)
            if _differs(before, _state(value)) or (memory and _written(*memory))
        }


def do_again(
    given: Sequence[Any], changes: Any, decoder: Decoder, shown: Callable[[Any], Any]
) -> None:
    """Change the arguments here as they were changed there; WireError where that is impossible.

    shown: what stands here for a value that came.
    """
    if type(changes) is not dict:
        raise WireError("what became of the arguments is not said")
    for place, tree in changes.items():
        mine = given[_number(place, len(given))]
        theirs = shown(decoder.decode(tree))
        if isinstance(mine, np.ndarray):
            _overwrite(mine, theirs)
        elif isinstance(mine, Tensor):
            mine.data = theirs
        elif not isinstance(theirs, _KINDS[_kind(mine)]):
            raise WireError("an argument has become something else")
        elif isinstance(mine, list):
            mine[:] = theirs
        else:
            mine.clear()
            mine.update(theirs)


def _number(place: str, most: int) -> int:
    if not place.isdecimal() or int(place) >= most:
        raise WireError("an argument was changed that there is not")
    return int(place)


_KINDS: dict[str, Any] = {"l": list, "d": dict, "s": set}


def _kind(value: Any) -> str:
    return next(tag for tag, kind in _KINDS.items() if isinstance(value, kind))


def _state(value: Any) -> Any:
    """What is compared: which objects it holds; for an array's memory see `_written`."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape
    return _parts(value)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Tensor):
        return [value.data]
    if isinstance(value, dict):
        return [part for pair in value.items() for part in pair]
    return list(value)


def _differs(before: Any, after: Any) -> bool:
    if type(before) is not list:
        return bool(before != after)
    return len(before) != len(after) or any(a is not b for a, b in zip(before, after, strict=True))


def _written(memory: np.ndarray, came: memoryview) -> bool:
    other = np.frombuffer(came, np.uint8)
    whole = memory.size // 8 * 8  # eight at a time, and then the rest
    words = memory[:whole].view(np.uint64) != other[:whole].view(np.uint64)
    return bool(words.any() or (memory[whole:] != other[whole:]).any())


def _tree(value: Any, encoder: Encoder, tree: Callable[[Any], Any]) -> Any:
    """The tree of what an argument is now made of."""
    if isinstance(value, np.ndarray):
        return encoder.array(value)
    if isinstance(value, Tensor):
        return tree(value.data)
    if isinstance(value, dict):
        return ["d", *([tree(part) for part in pair] for pair in value.items())]
    return [_kind(value), *map(tree, value)]


def _overwrite(mine: np.ndarray, theirs: Any) -> None:
    if type(theirs) is not np.ndarray:
        raise WireError("an array has become something else")
    if theirs.nbytes != mine.nbytes:
        raise WireError("an array was given another size in its place")
    if theirs.dtype != mine.dtype or theirs.shape != mine.shape:
        try:  # only what NumPy does to an array whose memory others may share
            if mine.flags.c_contiguous:
                mine.shape = (mine.size,)
            mine.dtype = theirs.dtype  # type: ignore[misc]
            mine.shape = theirs.shape
        except (AttributeError, TypeError, ValueError) as error:
            raise WireError("an array was given a shape that it cannot have") from error
    writable = mine.flags.writeable
    mine.flags.writeable = True
    np.copyto(mine.view(np.ndarray), theirs)
    mine.flags.writeable = writable
