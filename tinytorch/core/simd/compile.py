"""How functions are compiled here: without Python's lock, and kept on disk.

Which loops are worth compiling is decided by the kernels; registers are the business of the
other modules in this folder.
"""

from __future__ import annotations

import contextlib
import pickle
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache

Function = TypeVar("Function", bound=Callable[..., Any])

#: False under NUMBA_DISABLE_JIT=1: compiled functions then run as plain Python, without registers.
COMPILING = not numba.config.DISABLE_JIT

# Packed arithmetic by the names of its instructions: x86 (SSE, AVX) and ARM (NEON, SVE).
_PACKED = re.compile(
    r"^\s+(v?(?:add|sub|mul|div|min|max|and|andn|or|cmp\w*|blendv?|fn?m(?:add|sub)\d*)p[sd]"
    r"|vpdpbusd|vpdpwssd|v?pmaddwd)\b"
    r"|^\s+(f(?:add|sub|mul|mla|mls|min|max|minnm|maxnm|cm\w\w)|and|bic|bif|bit|bsl|s[dm]\w+)"
    r"(?:\.\d+[sd]\s|\s+[vz]\d+\.\d*[bhsd])",
    re.MULTILINE,
)


def _sources() -> tuple[tuple[str, float, int], ...]:
    """Name, time and size of every file that other files' compiled code may have been made from.

    That is all of them but `kernels`, which uses the others and is used by none.
    """
    folder = Path(__file__).parent.parent
    stats = ((path, path.stat()) for path in sorted(folder.rglob("*.py")))
    return tuple(
        (path.name, stat.st_mtime, stat.st_size)
        for path, stat in stats
        if path.name != "kernels.py"
    )


class _PackageCache(FunctionCache):
    """Numba's cache on disk, which by itself sees a change in the function's own file only.

    Compiled code holds pieces of other files too: the registers of this folder, for instance.
    """

    _stamp = _sources()

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(sig, codegen), self._stamp)

    # A cache that cannot be read or written (a full disk, a file cut short, a folder that has
    # become read-only) costs a compilation, never the caller's result.
    def load_overload(self, sig: Any, target_context: Any) -> Any:
        with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError, ValueError):
            return super().load_overload(sig, target_context)

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError, ValueError):
            super().save_overload(sig, data)


def compiled(function: Function, **options: Any) -> Function:
    """`function` compiled by Numba at its first call with each combination of argument types.

    It runs without Python's lock, so that threads run it side by side, and divides as NumPy does.
    No generators: Numba 0.68 never lets go of the arrays that one is given.
    The package's own functions are kept on disk where a folder can be written. Those of a notebook
    are not: a helper that was edited in another cell would go unseen.
    """
    dispatcher = numba.njit(nogil=True, error_model="numpy", **options)(function)
    if COMPILING and function.__module__ != "__main__":
        with contextlib.suppress(RuntimeError):  # no folder to keep it in that may be written to
            dispatcher._cache = _PackageCache(function)
    return dispatcher


def packed_instructions(dispatcher: Any) -> dict[str, int]:
    """How often each packed arithmetic instruction stands in a compiled function's assembly.

    dispatcher: what `compiled` or `numba.njit` returned, called at least once. The names are
    those of x86 or of ARM, whichever the CPU speaks; an empty dict means that no loop was
    vectorized, or that nothing is compiled (NUMBA_DISABLE_JIT=1). Code that was loaded from the
    disk has no assembly to look at, so the function is compiled once more for its first types.
    """
    if not COMPILING:
        return {}
    if not dispatcher.signatures:
        raise ValueError(f"call {dispatcher.__name__} once: it is compiled at its first call")
    options = {name: dispatcher.targetoptions[name] for name in ("nogil", "error_model")}
    fresh = numba.njit(**options)(dispatcher.py_func)
    fresh.compile(dispatcher.signatures[0])
    counts = Counter(
        x86 or arm
        for assembly in fresh.inspect_asm().values()
        for x86, arm in _PACKED.findall(assembly)
    )
    return dict(sorted(counts.items()))
