"""What an answer in another process cannot make up: given by every right answer, by no wrong one.

Whatever the answer's own process is asked, says here that all is well, so that the evidence is all
there is.
"""

import numpy as np
import pytest
from corpus_answers import entries, load
from judged_here import Asked, Elsewhere, Here

from tinytorch.core import kernels
from tinytorch.core.compression import to_sparse
from tinytorch.core.tensor import Tensor
from tinytorch.lab import evidence
from tinytorch.lab.mechanism import expect_no_loop, expect_shared_work, expect_tiles
from tinytorch.lab.proxies import judged_of

TILES, SHARED = "cache_friendly_matmul", "parallel_relu"
X = np.random.default_rng(0).standard_normal(300_001, dtype=np.float32)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def forging(answer, patience=3.0, **forged):
    """A proxy of an answer whose process says what is wanted."""
    forged = {"tiles": None, "no_loop": None, "shared_work": "Python"} | forged
    return Here(answer, shared=Asked(answer, patience, forged))


@pytest.mark.parametrize("entry", entries(TILES, right=True))
def test_every_right_product_reads_tile_by_tile(entry):
    expect_tiles(forging(load(TILES, entry)))


@pytest.mark.parametrize("entry", entries(TILES, right=False))
def test_no_wrong_product_reads_tile_by_tile(entry):
    with pytest.raises(AssertionError, match=r"read|missed"):
        expect_tiles(forging(load(TILES, entry)))


def test_the_exported_kernels_give_all_the_evidence():
    expect_tiles(forging(kernels.cache_friendly_matmul))
    expect_shared_work(forging(kernels.parallel_relu), X, 2)


@pytest.mark.parametrize("workers", [2, None])
@pytest.mark.parametrize("entry", entries(SHARED, right=True))
def test_every_right_relu_shares(entry, workers):
    loops = "compiled" if "numba" in entry else "Python"
    expect_shared_work(forging(load(SHARED, entry), shared_work=loops), X, workers)


@pytest.mark.parametrize("entry", entries(SHARED, right=False))
def test_no_wrong_relu_shares(entry):
    with pytest.raises(AssertionError, match=r"thread|at the same time|all elements"):
        expect_shared_work(forging(load(SHARED, entry), patience=0.1), X, 2)


def test_a_wrong_result_is_no_evidence():
    with pytest.raises(AssertionError, match="not that of the same call"):
        expect_tiles(forging(lambda A, B, block_size: Tensor(memoryview(A) @ B)))


def whole_then_tiles_for_show(A, B, block_size):
    """Multiplies at once, and reads single elements so that something is seen."""
    for i in range(len(A)):
        for j in range(len(A)):
            (A[i, j], B[i, j])
    return Tensor(A @ B)


def test_reading_everything_once_in_small_pieces_is_not_enough():
    with pytest.raises(AssertionError, match="every tile meets several others"):
        expect_tiles(forging(whole_then_tiles_for_show))


def test_machine_threads_are_seen_by_their_processor_time(monkeypatch):
    def by_threads(x, workers=4):
        return kernels.parallel_relu(x, workers)

    proxy = forging(by_threads, shared_work="machine threads")
    with pytest.raises(AssertionError, match="used processor time, as with one worker"):
        expect_shared_work(forging(lambda x, workers=4: by_threads(x, 1),
                                   shared_work="machine threads"), X, 2)  # fmt: skip
    spent = iter([{1: 0.0, 2: 0.0}, {1: 1.0, 2: 0.0}, {1: 1.0, 2: 0.0}, {1: 2.0, 2: 0.9, 3: 0.01}])
    monkeypatch.setattr(judged_of(proxy), "busy_threads", lambda: next(spent))
    expect_shared_work(proxy, X, 2)


def vector(n):
    return (np.ones(n, np.float32),)


def pair(n):
    return tuple(np.ones((2, n), np.int8))


def square(n):
    return tuple(np.ones((2, round(n**0.5), round(n**0.5))))


def weights(n):
    return np.ones((2, round(n**0.5))), to_sparse(np.ones((round(n**0.5), round(n**0.5))))


def relu(x):
    return np.maximum(x, 0)


def three(x, y):
    return {"multiply": x * y, "add": x + y, "squared_diff": (x - y) ** 2}


LOOKED_AT = {  # the arguments for n elements, and what comes of them
    "vectorized_relu": (vector, relu),
    "vectorized_operations": (pair, three),
    "compiled_relu": (vector, relu),
    "compiled_matmul": (square, np.matmul),
    "sparse_matmul": (weights, lambda A, W: A @ W.to_dense()),
}


@pytest.fixture
def elsewhere():
    made = []

    def make(answer, entry=None):
        get = (lambda: load(answer, entry)) if entry else (lambda: getattr(kernels, answer))
        made.append(Elsewhere(get))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.mark.parametrize("answer", LOOKED_AT)
def test_the_exported_kernels_take_little_of_the_time_of_a_loop(answer, elsewhere):
    proxy = elsewhere(answer)
    evidence.of_no_loop(proxy, proxy, *LOOKED_AT[answer])


@pytest.mark.parametrize(
    ("answer", "entry"),
    [
        ("vectorized_relu", "list_comprehension"),
        ("vectorized_relu", "map_over_the_numbers"),
        ("vectorized_relu", "np_vectorize_of_a_python_function"),
        ("vectorized_operations", "one_result_in_a_comprehension"),
        ("compiled_relu", "compiler_forgotten"),
        ("compiled_matmul", "compiler_forgotten"),
        ("sparse_matmul", "compiler_forgotten"),
    ],
)
def test_a_loop_takes_its_time(answer, entry, elsewhere, monkeypatch):
    monkeypatch.setattr(evidence, "_TRIES", 1)
    proxy = elsewhere(answer, entry)
    with pytest.raises(AssertionError, match="processor time of a plain Python loop"):
        evidence.of_no_loop(proxy, proxy, *LOOKED_AT[answer])


def test_both_are_asked_for(elsewhere):
    expect_no_loop(elsewhere("vectorized_relu"), vector, relu)


@pytest.mark.parametrize("answer", LOOKED_AT)
def test_quick_and_wrong_is_no_evidence(answer):
    make, gives = LOOKED_AT[answer]
    proxy = forging(lambda *args: Tensor(np.ones(3)))
    with pytest.raises(AssertionError, match=r"Tensor|shape|dict"):
        expect_no_loop(proxy, make, gives)


def test_what_was_looked_at_may_not_differ_from_what_was_timed():
    calls = []

    def wrong_when_timed(x):
        calls.append(x)
        return Tensor(relu(x) if len(calls) < 3 else x + 1)

    with pytest.raises(AssertionError, match="where its values are right"):
        expect_no_loop(forging(wrong_when_timed), vector, relu)
    assert len(calls) > 2
