"""What is asked of how a kernel works: who passes, who does not, and what is said then."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from matrix_products import ijk
from relu_crews import all_do_everything, alone, one_after_the_other, pool_of_pieces

from tinytorch.core import kernels
from tinytorch.core.tensor import Tensor, as_array
from tinytorch.lab import instruments, mechanism
from tinytorch.lab.mechanism import expect_at_once, expect_no_loop, expect_shared_work, expect_tiles


def loop(x):
    return Tensor(np.array([max(v, 0) for v in as_array(x)]))


def mapped(x):
    return Tensor(np.float32(list(map(partial(max, 0.0), as_array(x).tolist()))))


def steps_only(x):
    values, total = as_array(x), 0
    for i in range(len(values)):
        total += i
    return Tensor(np.maximum(values, 0))


def vector(n):
    return (np.ones(n, np.float32),)


def relu(x):
    return np.maximum(x, 0)


def test_a_loop_over_elements_is_counted():
    expect_no_loop(kernels.vectorized_relu, vector, relu)
    expect_no_loop(kernels.compiled_relu, vector, relu)
    with pytest.raises(AssertionError, match=r"40 and with 4,000 elements: .* Python lines"):
        expect_no_loop(steps_only, vector, relu)
    for one_by_one in (loop, mapped):
        with pytest.raises(AssertionError, match="is there a loop over the elements"):
            expect_no_loop(one_by_one, vector, relu)


def untouched(*_):
    return Tensor(np.ones((12, 12)))


def test_how_a_wrong_answer_works_is_not_looked_at():
    x = np.ones(4_000, np.float32)
    for check in (
        partial(expect_no_loop, make=vector, gives=relu),
        expect_tiles,
        partial(expect_shared_work, x=x, workers=2),
    ):
        with pytest.raises(AssertionError, match=r"expected .*where its values are right"):
            check(untouched)


def rows_at_once(A, B, block_size=32):
    a, b = as_array(A), as_array(B)
    rows = [a[i : i + block_size] @ b for i in range(0, len(a), block_size)]
    return Tensor(np.concatenate(rows))


def scalar_tiles(A, B, block_size=32):
    a, b, s = as_array(A), as_array(B), block_size
    C = np.zeros((len(a), b.shape[1]))
    for i0 in range(0, len(a), s):
        for j0 in range(0, b.shape[1], s):
            for p0 in range(0, len(b), s):
                for i in range(i0, min(i0 + s, len(a))):
                    for j in range(j0, min(j0 + s, b.shape[1])):
                        for p in range(p0, min(p0 + s, len(b))):
                            C[i, j] += a[i, p] * b[p, j]
    return Tensor(C)


def tiles(A, B, block_size=32):
    a, b, s = as_array(A), as_array(B), block_size
    C = np.zeros((len(a), b.shape[1]))
    for i in range(0, len(a), s):
        for j in range(0, b.shape[1], s):
            for p in range(0, len(b), s):
                C[i : i + s, j : j + s] += a[i : i + s, p : p + s] @ b[p : p + s, j : j + s]
    return Tensor(C)


@pytest.mark.parametrize("kernel", [kernels.cache_friendly_matmul, scalar_tiles, tiles])
def test_tiles_pass(kernel):
    expect_tiles(kernel)


@pytest.mark.parametrize(
    ("kernel", "says"),
    [
        (lambda A, B, s=32: Tensor(as_array(A) @ as_array(B)), "touched 3,072 elements"),
        (rows_at_once, "is a whole row of tiles"),
        (lambda A, B, s=32: Tensor(ijk(as_array(A), as_array(B))), "missed 32,896 times"),
        (lambda A, B, s=32: scalar_tiles(A, B, 16), "missed"),
        (
            lambda A, B, s=32: kernels.cache_friendly_matmul(A, B, len(A) // s),
            "block_size=4: one step",
        ),
        (lambda A, B, s=64: tiles(A, B, s), "the default block_size, 32: one step"),
    ],
    ids=["whole", "rows", "loops", "larger tiles", "a number of blocks", "another default"],
)
def test_what_is_not_in_tiles_is_told_apart(kernel, says):
    with pytest.raises(AssertionError, match=says):
        expect_tiles(kernel)


def test_shared_work_passes_and_other_work_is_told_apart(monkeypatch):
    x = np.ones(4_000, np.float32)
    expect_shared_work(pool_of_pieces, x, 3)
    for kernel, says in [
        (alone, "did all the work"),
        (all_do_everything, "does every thread get a piece of its own"),
        (lambda x, workers: pool_of_pieces(x, 6), "expected at most 3"),
    ]:
        with pytest.raises(AssertionError, match=says):
            expect_shared_work(kernel, x, 3)
    impatient = instruments.watch_crew
    monkeypatch.setattr(instruments, "watch_crew", lambda *a: impatient(*a, patience=0.05))
    with pytest.raises(AssertionError, match="one after the other"):
        expect_shared_work(one_after_the_other, x, 3)


def batch_of(workers=None):
    def run(items, operation, num_workers):
        with ThreadPoolExecutor(workers or num_workers) as pool:
            return list(pool.map(operation, items))

    return run


def test_operations_at_once_are_counted():
    expect_at_once(kernels.parallel_batch_processing, 3, items=7)
    expect_at_once(batch_of(), 2, items=6)
    with pytest.raises(AssertionError, match="expected at most 2: is num_workers"):
        expect_at_once(batch_of(4), 2, items=8)


def test_too_few_at_once_are_told_apart(monkeypatch):
    meeting = mechanism.Meeting
    monkeypatch.setattr(mechanism, "Meeting", lambda n, timeout: meeting(n, 0.05))
    with pytest.raises(AssertionError, match="at most 1 at the same time, expected 2"):
        expect_at_once(lambda items, operation, _: list(map(operation, items)), 2, items=4)
    with pytest.raises(AssertionError, match="expected 0 to 3 in order"):
        expect_at_once(lambda items, operation, _: [], 2, items=4)


def test_what_was_seen_elsewhere_is_a_sentence_of_the_labs_with_counts_in_it():
    with pytest.raises(instruments.Seen) as raised:
        instruments.look_for_tiles(lambda A, B, block_size=32: A @ B)
    seen = instruments.seen_again(list(raised.value.args), "cache_friendly_matmul")
    assert "one step (matmul) touched 3,072 elements" in str(seen)
    assert str(seen) == str(raised.value).replace("<lambda>", "cache_friendly_matmul")


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["what was seen"],
        ["lines", 1],
        ["lines", "the hidden input is 42", 3],
        ["step", "x" * 40, 1, 2],
        ["lines", 10**40, 3],
        ["lines", -1, 3],
        ["lines", 1.5, 3],
        ["lines", True, 3],
        [["lines"], 1, 2],
        ["{name.__class__}", 1],
    ],
)
def test_what_is_no_such_sentence_is_not_taken_over(args):
    assert instruments.seen_again(args, "f") is None
