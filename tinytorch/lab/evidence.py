"""What an answer in another process cannot make up: processor time, and reads of what is lent.

Each is one more call of the answer, and asks for what every right answer gives, in whatever style
it is written. None is a measure of speed: processor time is compared with processor time of the
same moment, and reads are counted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.core.compression import SparseMatrix
from tinytorch.core.tensor import Tensor
from tinytorch.lab.expect import attempt, describe, expect_values, name_of
from tinytorch.lab.instruments import FEWER, ONE_THREAD
from tinytorch.lab.lending import Read
from tinytorch.lab.proxies import Judged

VALUES_FIRST = "how an answer works counts where its values are right"
ROUNDED: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-3, "cause": VALUES_FIRST}
_MOST_OF_A_LOOP = (
    0.5  # of the time of a plain Python loop; right answers: at most 0.3, loops: from 0.88
)
_HOPELESS = 3  # times a plain loop: what took that long is no matter of a busy computer
_ELEMENTS, _SMALL_MATRICES, _LARGE_MATRICES = 200_000, 64**2, 256**2
_ENOUGH = 1_000_000  # numbers in all calls of one try
_MANY = 1_000_000  # elements that busy threads share: what carries them is busy, too
_SIDE = 8  # of the lent matrices: a scalar loop asks 1,024 times
_TRIES, _FEW_TRIES = 12, 3  # other work on the same machine makes a call dearer, never cheaper


def of_no_loop(
    kernel: Callable[..., Any],
    judged: Judged,
    make: Callable[[int], tuple[Any, ...]],
    gives: Callable[..., Any],
) -> None:
    """Assert that a call takes far less processor time than a Python loop over its numbers.

    These are the numbers that are handed over and that come back, and of a product of matrices,
    the pairs that are multiplied. Every call has arguments of its own, and has to give the values
    of gives(*args), so that there is nothing to remember and nothing to leave out.
    """
    args, numbers = of_large_values(kernel, make, gives)  # compiles what is to be compiled, too
    took = loop = math.inf
    for tried in range(_TRIES):
        calls = [_large_arguments(make)[0] for _ in range(max(1, _ENOUGH // numbers))]
        expected = [gives(*args) for args in calls]
        before = judged.cpu_seconds()
        results = [attempt(kernel, *args) for args in calls]
        took = min(took, (judged.cpu_seconds() - before) / len(calls))
        for args, result, right in zip(calls, results, expected, strict=True):
            expect_values(_named(kernel, result), *args, gives=right, **ROUNDED)
        loop = min(loop, _seconds_of_a_loop(numbers))
        if took <= _MOST_OF_A_LOOP * loop:
            return
        if tried + 1 >= _FEW_TRIES and took > _HOPELESS * loop:
            break
    raise AssertionError(
        f"tried {describe(kernel, args, {})}: it took {took / loop:.2f} times the processor time "
        f"of a plain Python loop over {numbers:,} numbers, expected at most {_MOST_OF_A_LOOP}: "
        "is there a loop over the elements, or was the function with the loop not compiled?"
    )


def of_large_values(
    kernel: Callable[..., Any],
    make: Callable[[int], tuple[Any, ...]],
    gives: Callable[..., Any],
) -> tuple[tuple[Any, ...], int]:
    """Assert the values of one large call; its arguments, and how many numbers a loop has."""
    args, pairs = _large_arguments(make)
    expected = gives(*args)
    expect_values(kernel, *args, gives=expected, **ROUNDED)
    return args, pairs + _numbers_in(args) + _numbers_in(expected)


def _named(kernel: Callable[..., Any], result: Any) -> Callable[..., Any]:
    """A function of the kernel's name that gives a result which is there already."""

    def given(*_: Any) -> Any:
        return result

    given.__name__ = name_of(kernel)
    return given


def _large_arguments(make: Callable[[int], tuple[Any, ...]]) -> tuple[tuple[Any, ...], int]:
    """Arguments that take long enough, and how many pairs are multiplied if it is a product."""
    if any(isinstance(x, SparseMatrix) for x in make(_SMALL_MATRICES)):
        args = make(_LARGE_MATRICES)
        return args, 3 * _pairs(args)  # with two indices to look up for each
    args = make(_SMALL_MATRICES)
    if pairs := _pairs(args):
        return args, pairs
    # Of one sign: guessing the signs wrong costs a processor as much as all else that it does.
    return tuple(_positive(x) for x in make(_ELEMENTS)), 0


def _pairs(args: tuple[Any, ...]) -> int:
    """How many pairs a product of the first two matrices multiplies; 0 where there are none."""
    shapes = [x.shape if isinstance(x, SparseMatrix) else np.shape(_values(x)) for x in args]
    matrices = [shape for shape in shapes if len(shape) == 2]
    return math.prod(matrices[0]) * matrices[1][1] if len(matrices) > 1 else 0


def _positive(x: Any) -> Any:
    return Tensor(np.abs(x.data)) if isinstance(x, Tensor) else np.abs(x)


def _numbers_in(value: Any) -> int:
    """How many numbers there are in a call's arguments or results."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return sum(map(_numbers_in, value))
    if isinstance(value, SparseMatrix):
        return _numbers_in([value.values, value.indices, value.indptr])
    return np.size(_values(value))


def _values(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x


def _seconds_of_a_loop(elements: int) -> float:
    """Processor time of a plain Python loop over so many numbers, here and now; the best of 3."""
    numbers: list[float] = [0.5, -0.5] * 500
    out: list[float] = []
    turns, best = max(1, elements // 1_000), math.inf
    for _ in range(3):
        begun = time.process_time()
        for _ in range(turns):
            out = []
            for number in numbers:
                out.append(number if number > 0.0 else 0.0)
        best = min(best, time.process_time() - begun)
    return best * elements / (turns * len(out))


def of_tiles(kernel: Callable[..., Any], judged: Judged) -> None:
    """Assert by the reads of lent matrices that a blocked product reads them tile by tile."""
    rng = np.random.default_rng()
    for block in (2, 4):
        A, B = rng.integers(-4, 5, (2, _SIDE, _SIDE)).astype(np.float64)
        lent = judged.lend(A), judged.lend(B)
        tried = f"tried {name_of(kernel)} on {_SIDE} by {_SIDE} matrices with block_size={block}"
        got = attempt(kernel, *lent, block)
        _expect_exact(got, A @ B, tried)
        for name, matrix in zip("AB", lent, strict=True):
            _expect_tile_reads(matrix.reads, block, f"{tried}: of {name}")
        pieces = [r.elements.size for m in lent for r in m.reads if r.elements.size <= 3 * block**2]
        least = _SIDE**2 + _SIDE**3 // block
        assert sum(pieces) >= least, (
            f"{tried}: {sum(pieces)} elements were read in pieces no larger than tiles, expected "
            f"at least {least}, as every tile meets several others: is the whole matrix multiplied "
            "at once?"
        )


def _expect_tile_reads(reads: Sequence[Read], block: int, tried: str) -> None:
    largest = 3 * block**2
    whole = [read for read in reads if read.elements.size > largest]
    assert len(whole) <= 1, (  # one is a look at all elements beforehand
        f"{tried} up to {max(r.elements.size for r in whole)} elements were read at once, "
        f"{len(whole)} times, a step on tiles reads at most {largest}: is a whole row of tiles, or "
        "the whole matrix, multiplied at once, or block_size not used?"
    )
    pieces = [read.elements for read in reads if read.elements.size <= largest]
    missed, most = _misses(pieces, largest), _SIDE**3 // block
    assert missed <= most, (
        f"{tried}, a cache of {largest} elements missed {missed} times, tiles miss at most {most} "
        "times: do all three loops go over tiles, with the work on one tile finished before the "
        "next?"
    )


def _misses(pieces: Sequence[np.ndarray], room: int) -> int:
    """How many elements were fetched anew by a cache that drops what was not used for longest."""
    cache: dict[int, None] = {}
    missed = 0
    for element in np.concatenate([np.empty(0, np.int64), *pieces]).tolist():
        if element in cache:
            del cache[element]
        else:
            missed += 1
            if len(cache) == room:
                del cache[next(iter(cache))]
        cache[element] = None
    return missed


def of_shared_work(
    kernel: Callable[..., Any], judged: Judged, x: np.ndarray, workers: int | None, loops: str
) -> None:
    """Assert that several threads ask for parts of a lent array at the same time.

    loops: what `instruments.look_for_shared_work` said of the answer's loops.
    """
    if loops == "machine threads":
        _expect_busy_threads(kernel, judged, x, workers)
        return
    if loops == "compiled":
        x = x[:FEWER]
    asked = () if workers is None else (workers,)
    most = workers or 4
    lent = judged.lend(x)
    lent.hold = 2
    tried = f"tried {describe(kernel, (x, *asked), {})}"
    got = attempt(in_any_order(kernel), lent, *asked)
    _expect_exact(got, np.sort(np.maximum(x, 0)), tried)
    parts = [i for i, read in enumerate(lent.reads) if read.elements.size < x.size]
    assert parts, f"{tried}: {ONE_THREAD}"
    together = max(lent.reads[i].in_flight for i in parts)
    assert together >= 2, (
        f"{tried}: parts of x were read one after the other, expected at least 2 at the same "
        "time: does every thread get a piece of its own, and is none waited for before the next?"
    )
    again = [r for r in lent.reads[parts[0] :] if r.elements.size == x.size]
    assert not again, (
        f"{tried}: all elements were read at once beside the threads' pieces, expected the pieces "
        "only: are the results of the pool used?"
    )
    assert together <= most, (
        f"{tried}: {together} threads at the same time, expected at most {most}: is num_workers "
        "handed to the pool?"
    )


def in_any_order(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The same kernel, which gives its numbers sorted.

    Pieces put together as they come are in their places or not, from one call to the next.
    """

    def numbers(*args: Any) -> np.ndarray:
        return np.sort(_values(kernel(*args)), axis=None)

    numbers.__name__ = name_of(kernel)
    return numbers


def _expect_busy_threads(
    kernel: Callable[..., Any], judged: Judged, x: np.ndarray, workers: int | None
) -> None:
    """Assert that more threads compute for several workers than for one.

    Compiled code with threads of its own does not ask for elements one by one. The threads that
    carry arguments and results to and from the answer are busy with one worker, too.
    """
    large = np.tile(x, -(-_MANY // x.size))
    asked = () if workers is None else (workers,)
    counts = []
    for given in ((1,), asked):
        attempt(kernel, large, *given)  # its threads are started, its code compiled
        before = judged.busy_threads()
        for _ in range(5):
            attempt(kernel, large, *given)
        spent = [s - before.get(t, 0.0) for t, s in judged.busy_threads().items()]
        counts.append(sum(seconds >= 0.1 * max(spent) for seconds in spent))
    assert counts[1] > counts[0], (
        f"tried {describe(kernel, (large, *asked), {})}: {counts[1]} threads used processor time, "
        f"as with one worker ({counts[0]}), expected more: {ONE_THREAD}"
    )


def _expect_exact(got: Any, expected: np.ndarray, tried: str) -> None:
    values = _values(got)
    same = isinstance(values, np.ndarray) and np.array_equal(values, expected)
    assert same, (
        f"{tried}, which asks for every element that it uses: the result is not that of the same "
        "call with an ordinary array: are elements used through something other than arrays "
        "(a memoryview, a buffer made elsewhere)?"
    )
