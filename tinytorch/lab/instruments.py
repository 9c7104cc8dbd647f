"""How a kernel works, looked at in its own process: its loops, its tiles, its threads.

Each runs the kernel under one of the lab's deterministic instruments and raises Seen, an
AssertionError which says what was counted, what was expected and the likely cause. `mechanism` is
what tests call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.lab.cache_model import CacheModel
from tinytorch.lab.callables import namespace
from tinytorch.lab.counters import python_steps
from tinytorch.lab.crew import watch_crew
from tinytorch.lab.expect import name_of
from tinytorch.lab.trace import Trace, trace, working_set

# Of 32 by 32 matrices, tiles of 8 and a cache of 32 lines: loops over rows and columns miss more
# than this, tiles less, whatever the order of their loops.
_N, _BLOCK, _MOST_MISSES = 32, 8, 3_500
_UNEVEN = 34  # no multiple of the default block, 32, and few scalar steps
_SMALL = 24  # so that half a block, taken for a number of blocks, is told apart
ONE_THREAD = (
    "one thread did all the work, expected at least 2 that share it: are the pieces handed to a "
    "pool of num_workers threads?"
)
FEWER = 80_000  # elements that threads share, where each is looked at singly
_FEW_STEPS = 300  # Python lines that a call may run more for a hundred times the elements
_TILED = f"tried {{name}} on {_N} by {_N} matrices with block_size={_BLOCK}"
_SHARED = "tried {name} with {0:,} elements and num_workers={1}"
_STEP = (
    ": one step ({0}) touched {1:,} elements, a step on tiles touches at most {2}: is a whole row "
    "of tiles, or the whole matrix, multiplied at once, or block_size not used?"
)
SENTENCES = {
    "singly": "tried {name} with 400 elements: {0} of them were made Python objects or read one by "
    "one, expected whole arrays: is there a loop over the elements (map, tolist, iter)?",
    "lines": "tried {name} with 40 and with 4,000 elements: {0} and {1} Python lines were run, "
    "expected about the same: is there a Python loop over the elements, or was the function with "
    "the loop not compiled?",
    "step": _TILED + _STEP,
    "step, few": f"tried {{name}} on shapes {(_SMALL, 4)} and {(4, _SMALL)} with block_size=4"
    + _STEP,
    "step, default": f"tried {{name}} on shapes {(_UNEVEN,) * 2} and {(_UNEVEN,) * 2} with the "
    "default block_size, 32" + _STEP,
    "misses": f"{_TILED}: a small cache (32 lines of 8 elements) missed {{0:,}} times, tiles miss "
    f"at most {_MOST_MISSES:,} times: do all three loops go over tiles, with the work on one tile "
    "finished before the next?",
    "one thread": f"{_SHARED}: {ONE_THREAD}",
    "whole": f"{_SHARED}: {{2}} threads touched elements, {{3}} of them a part only, expected at "
    "least 2 that share: does every thread get a piece of its own?",
    "in turns": f"{_SHARED}: {{2}} threads worked one after the other, expected at least 2 at the "
    "same time: is each result waited for before the next piece is handed out?",
    "again": f"{_SHARED}: the calling thread computed with all the elements once more, expected "
    "only the threads' pieces put together: are the results of the pool used?",
    "too many": f"{_SHARED}: {{2}} threads at the same time, expected at most {{1}}: is "
    "num_workers handed to the pool?",
}


class Seen(AssertionError):
    """What an instrument saw: which of the SENTENCES, with the counts in it.

    So it can come out of a process that is not believed, where a text could be any text.
    """

    name = "the function"  # what the sentence calls the kernel

    def __str__(self) -> str:
        which, *counts = self.args
        return SENTENCES[which].format(*counts, name=self.name)


def seen_again(args: Sequence[Any], name: str) -> Seen | None:
    """What was seen in another process, by its `args` alone; None if it is no sentence of these."""
    seen = Seen(*args)
    seen.name = name
    try:
        which, *counts = args
        fits = which in SENTENCES and all(map(_is_count, counts))
        return seen if fits and str(seen) else None
    except (TypeError, ValueError, IndexError):
        return None


def _is_count(value: Any) -> bool:
    """A count, or the name of an operation of NumPy's."""
    if type(value) is str:
        return hasattr(np, value) or hasattr(np.ndarray, value)
    return type(value) is int and 0 <= value < 10**9


def _require(holds: bool, kernel: Callable[..., Any], which: str, *counts: int | str) -> None:
    if not holds:
        seen = Seen(which, *counts)
        seen.name = name_of(kernel)
        raise seen


def look_for_a_loop(kernel: Callable[..., Any], few: Any, many: Any, some: Any) -> None:
    """Assert that the number of Python lines does not grow with the number of elements.

    few, many, some: the arguments for 40, 4,000 and 400 elements.
    """
    steps_of_few, steps_of_many = (python_steps(kernel, *args) for args in (few, many))
    singly = _handled_one_by_one(kernel, tuple(some))
    _require(singly < 400, kernel, "singly", singly)
    grows = steps_of_many - steps_of_few > _FEW_STEPS
    _require(not grows, kernel, "lines", steps_of_few, steps_of_many)


def _handled_one_by_one(kernel: Callable[..., Any], arguments: tuple[Any, ...]) -> int:
    """How many elements left the arrays singly; 0 where that cannot be seen.

    A compiled function would be run as Python here, whose loops are none once it is compiled.
    """
    if _has_compiled_code(kernel):
        return 0
    try:
        seen = trace(kernel, *arguments)
    except Exception:  # what the instrument does not understand is not held against the kernel
        return 0
    in_steps = sum(step.stop - step.start for step in seen.steps)
    listed = sum(s.stop - s.start for s in seen.steps if s.name in ("tolist", "flat", "item"))
    return len(seen) - in_steps + listed


def look_for_tiles(kernel: Callable[..., Any]) -> None:
    """Assert that a blocked product works in tiles: few simulated misses, small steps.

    kernel(A, B, block_size) is run on 32 by 32 matrices with tiles of 8 by 8. A step on slices may
    touch 3 * 8**2 elements; a cache of 32 lines of 8 elements must miss far less than with plain
    loops. What no instrument can see is not held against it.
    """
    rng = np.random.default_rng(0)
    A, B = rng.integers(-4, 5, (2, _N, _N)).astype(np.float64)
    seen = trace(kernel, A, B, _BLOCK, names=("A", "B"))
    if {"A", "B"} & set(seen.untouched):
        return
    _expect_small_steps(seen, kernel, "step", _BLOCK)
    for (m, k, n), block in (((_SMALL, 4, _SMALL), 4), ((_UNEVEN,) * 3, None)):
        A, B = (rng.integers(-4, 5, shape).astype(np.float64) for shape in ((m, k), (k, n)))
        asked = () if block is None else (block,)
        which = "step, default" if block is None else "step, few"
        small = trace(kernel, A, B, *asked, names=("A", "B"))
        _expect_small_steps(small, kernel, which, block or 32)
    misses = CacheModel().run(seen).misses
    _require(misses <= _MOST_MISSES, kernel, "misses", int(misses))


def _expect_small_steps(seen: Trace, kernel: Callable[..., Any], which: str, block: int) -> None:
    largest = 3 * block**2
    steps = working_set(seen)
    for step, touched in zip(seen.steps, steps.tolist(), strict=True):
        small = step.kind == "copy" or touched <= largest
        name = step.name if _is_count(step.name) else "array"
        _require(small, kernel, which, name, int(touched), largest)


def look_for_shared_work(kernel: Callable[..., Any], x: np.ndarray, workers: int | None) -> str:
    """Assert that `kernel(x, workers)` shares the work among 2 to `workers` threads.

    None: `kernel(x)`, whose default is 4. Returns how its loops run: "Python", "compiled" (and
    have here been run as Python), or "machine threads", which no instrument here can see.
    """
    asked = () if workers is None else (workers,)
    workers = workers or 4
    if _runs_parallel_machine_code(kernel):
        return "machine threads"
    compiled = _has_compiled_code(kernel)
    if compiled:  # its loops run as Python here
        x = x[:FEWER]
    loops = "compiled" if compiled else "Python"
    tried = x.size, workers
    crew = watch_crew(kernel, x, workers, asked)
    if not crew.seen:
        _require(crew.started >= 2, kernel, "one thread", *tried)
        return loops
    sharing = crew.workers(x.size)
    touched = len(crew.touched)
    if touched <= 1:
        _require(len(sharing) >= 2, kernel, "one thread", *tried)
    _require(len(sharing) >= 2, kernel, "whole", *tried, touched, len(sharing))
    _require(bool(crew.together), kernel, "in turns", *tried, len(sharing))
    _require(not crew.again, kernel, "again", *tried)
    most = crew.most_sharing(sharing)
    _require(most <= workers, kernel, "too many", *tried, most)
    return loops


def _has_compiled_code(kernel: Callable[..., Any]) -> bool:
    return any(hasattr(value, "py_func") for value in (namespace(kernel) or {}).values())


def _runs_parallel_machine_code(kernel: Callable[..., Any]) -> bool:
    """Whether the notebook has compiled code with threads of its own, which no tape can see."""
    for value in (namespace(kernel) or {}).values():
        with contextlib.suppress(Exception):
            if value.targetoptions.get("parallel"):
                return True
    return False
