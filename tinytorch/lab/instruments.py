"""How a kernel works, looked at in its own process: its loops, its tiles, its threads.

Each runs the kernel under one of the lab's deterministic instruments and raises AssertionError,
which says what was counted, what was expected and the likely cause. `mechanism` is what tests
call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.lab.cache_model import CacheModel
from tinytorch.lab.callables import namespace
from tinytorch.lab.counters import python_steps
from tinytorch.lab.crew import watch_crew
from tinytorch.lab.expect import describe, name_of
from tinytorch.lab.trace import Trace, trace, working_set

# Of 32 by 32 matrices, tiles of 8 and a cache of 32 lines: loops over rows and columns miss more
# than this, tiles less, whatever the order of their loops.
_N, _BLOCK, _MOST_MISSES = 32, 8, 3_500
_SMALL = 24  # so that half a block, taken for a number of blocks, is told apart
ONE_THREAD = (
    "one thread did all the work, expected at least 2 that share it: are the pieces handed to a "
    "pool of num_workers threads?"
)
FEWER = 80_000  # elements that threads share, where each is looked at singly
_FEW_STEPS = 300  # Python lines that a call may run more for a hundred times the elements


def look_for_a_loop(kernel: Callable[..., Any], few: Any, many: Any, some: Any) -> None:
    """Assert that the number of Python lines does not grow with the number of elements.

    few, many, some: the arguments for 40, 4,000 and 400 elements.
    """
    steps_of_few, steps_of_many = (python_steps(kernel, *args) for args in (few, many))
    name = name_of(kernel)
    singly = _handled_one_by_one(kernel, tuple(some))
    assert singly < 400, (
        f"tried {name} with 400 elements: {singly} of them were made Python objects or read one "
        "by one, expected whole arrays: is there a loop over the elements (map, tolist, iter)?"
    )
    assert steps_of_many - steps_of_few <= _FEW_STEPS, (
        f"tried {name} with 40 and with 4,000 elements: {steps_of_few} and {steps_of_many} Python "
        "lines were run, expected about the same: is there a Python loop over the elements, or was "
        "the function with the loop not compiled?"
    )


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
    name = name_of(kernel)
    tried = f"tried {name} on {_N} by {_N} matrices with block_size={_BLOCK}"
    _expect_small_steps(seen, tried, _BLOCK)
    for (m, k, n), block in (((_SMALL, 4, _SMALL), 4), ((40, 40, 40), None)):
        A, B = (rng.integers(-4, 5, shape).astype(np.float64) for shape in ((m, k), (k, n)))
        asked = () if block is None else (block,)
        said = "the default block_size, 32" if block is None else f"block_size={block}"
        what = f"tried {name} on shapes {(m, k)} and {(k, n)} with {said}"
        _expect_small_steps(trace(kernel, A, B, *asked, names=("A", "B")), what, block or 32)
    report = CacheModel().run(seen)
    assert report.misses <= _MOST_MISSES, (
        f"{tried}: a small cache (32 lines of 8 elements) missed {report.misses:,} times, tiles "
        f"miss at most {_MOST_MISSES:,} times: do all three loops go over tiles, with the work on "
        "one tile finished before the next?"
    )


def _expect_small_steps(seen: Trace, tried: str, block: int) -> None:
    largest = 3 * block**2
    steps = working_set(seen)
    for step, touched in zip(seen.steps, steps.tolist(), strict=True):
        if step.kind == "copy":
            continue
        assert touched <= largest, (
            f"{tried}: one step ({step.name}) touched {touched:,} elements, a step on tiles "
            f"touches at most {largest}: is a whole row of tiles, or the whole matrix, "
            "multiplied at once, or block_size not used?"
        )


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
    tried = f"tried {describe(kernel, (x, *asked), {})}"
    crew = watch_crew(kernel, x, workers, asked)
    if not crew.seen:
        assert crew.started >= 2, f"{tried}: {ONE_THREAD}"
        return loops
    sharing = crew.workers(x.size)
    assert len(sharing) >= 2, (
        f"{tried}: {len(crew.touched)} threads touched elements, {len(sharing)} of them a part "
        "only, expected at least 2 that share: does every thread get a piece of its own?"
        if len(crew.touched) > 1
        else f"{tried}: {ONE_THREAD}"
    )
    assert crew.together, (
        f"{tried}: {len(sharing)} threads worked one after the other, expected at least 2 at the "
        "same time: is each result waited for before the next piece is handed out?"
    )
    assert not crew.again, (
        f"{tried}: the calling thread computed with all the elements once more, expected only the "
        "threads' pieces put together: are the results of the pool used?"
    )
    most = crew.most_sharing(sharing)
    assert most <= workers, (
        f"{tried}: {most} threads at the same time, expected at most {workers}: is num_workers "
        "handed to the pool?"
    )
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
