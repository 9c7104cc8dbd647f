"""Arrays that are lent: what is asked for, and that everything computes as with ordinary arrays."""

import copy
import threading

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor, as_array
from tinytorch.lab.lending import Desk, Lent
from tinytorch.lab.lent import run_lent
from tinytorch.lab.lent_tape import Borrowed

X = np.arange(1.0, 13.0).reshape(3, 4)


def run(kernel, *arrays, in_tensor=False):
    """The result, and the elements asked for: one sorted list an ask."""
    loans = {str(i): Lent(np.asarray(a), Desk()) for i, a in enumerate(arrays)}
    given = [Borrowed(name, loan.shape, loan.dtype.str, in_tensor) for name, loan in loans.items()]
    result = run_lent(kernel, tuple(given), {}, lambda name, asked: loans[name].answer(asked))
    return result, [read.elements.tolist() for loan in loans.values() for read in loan.reads]


def into_zeros(x):
    out = np.zeros((4, 5))
    out[:3, 1:] = x
    return out[1:3] + 1


def in_place(x):
    x[0] = 7
    return x[:2] * 1


def through_a_list(x):
    return np.array([x[0], x[2]]) + 0


@pytest.mark.parametrize(
    ("kernel", "asked"),
    [
        (lambda x: x[1, 2] + 0, [[6]]),
        (lambda x: float(x[1, 2]), [[6]]),
        (lambda x: x[1] + 1, [[4, 5, 6, 7]]),
        (lambda x: x.T[1] * 2, [[1, 5, 9]]),
        (lambda x: x[::2, ::-1] + 0, [[0, 1, 2, 3, 8, 9, 10, 11]]),
        (lambda x: x[[0, 2]][:, 0] + 0, [[0, 8]]),
        (lambda x: x.copy()[0] + 0, [[0, 1, 2, 3]]),
        (lambda x: x.astype(np.float32)[0] + 0, [[0, 1, 2, 3]]),
        (lambda x: x.ravel()[:2] + 0, [[0, 1]]),
        (lambda x: x.T.flatten()[:2] + 0, [[0, 4]]),
        (lambda x: np.ascontiguousarray(x.T)[0] + 0, [[0, 4, 8]]),
        (lambda x: np.concatenate([x, x])[3] + 0, [[0, 1, 2, 3]]),
        (lambda x: np.pad(x, 1)[1] + 0, [[0, 1, 2, 3]]),
        (lambda x: copy.deepcopy(x)[2, 3] + 0, [[11]]),
        (lambda x: np.array_split(x, 3)[1] + 0, [[4, 5, 6, 7]]),
        (lambda x: x.sum(), [list(range(12))]),
        (lambda x: x[0] @ x[1], [[0, 1, 2, 3], [4, 5, 6, 7]]),
        (lambda x: x[0].tolist(), [[0, 1, 2, 3]]),
        (lambda x: sum(x[0].flat), [[0, 1, 2, 3]]),
        (lambda x: [float(v) for v in np.nditer(x[0])], [[0, 1, 2, 3]]),
        (lambda x: np.where(x[0] > 2, x[0], 0), [[0, 1, 2, 3]] * 2),
        (lambda x: np.maximum(x[0], 0, out=np.empty_like(x[0])), [[0, 1, 2, 3]]),
        (lambda x: Tensor(np.asarray(as_array(x))[0] + 1), [[0, 1, 2, 3]]),
        (lambda x: (*x.shape, x.T.ndim, x.itemsize), []),
        (into_zeros, [list(range(4, 12))]),
        (in_place, [[4, 5, 6, 7]]),
        (through_a_list, [[0, 1, 2, 3], [8, 9, 10, 11]]),
        (lambda x: x, [list(range(12))]),
    ],
)
def test_exactly_what_is_used_is_asked_for(kernel, asked):
    got, reads = run(kernel, X)
    expected = kernel(X.copy())
    assert type(got) is type(expected)
    np.testing.assert_array_equal(getattr(got, "data", got), getattr(expected, "data", expected))
    assert reads == asked


def test_arguments_in_tensors_and_of_whole_numbers():
    A, B = np.arange(6).reshape(2, 3), np.arange(6).reshape(3, 2)
    got, reads = run(lambda a, b: Tensor(as_array(a) @ as_array(b)), A, B, in_tensor=True)
    assert got.data.tolist() == (A @ B).tolist() and len(reads) == 2
    assert run(lambda a: np.float32(1) * a[0].astype(np.int8), A)[0].dtype == np.float32


def test_what_nobody_sees_is_poison():
    got, reads = run(lambda x: np.frombuffer(memoryview(x))[0], X)
    assert np.isnan(got) and not reads


def test_threads_read_at_the_same_time():
    def both(x):
        out, wrong = np.zeros(3), []

        def add(row):
            for _ in range(50):
                if not (x[row] + x[1] == X[row] + X[1]).all():
                    wrong.append(row)
            out[row] = x[row].sum()

        threads = [threading.Thread(target=add, args=(row,)) for row in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return out, wrong

    (out, wrong), _ = run(both, X)
    assert out.tolist() == X.sum(axis=1).tolist() and not wrong


def test_of_a_large_array_neighbours_come_along():
    got, reads = run(lambda x: sum(x[i] for i in range(100)), np.ones(6_400))
    assert got == 100 and reads == [list(range(100))]


def test_asks_wait_for_each_other_and_are_counted():
    lent = Lent(X, Desk(patience=10))
    lent.hold = 2
    threads = [threading.Thread(target=lent.answer, args=(np.array([i]),)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [read.in_flight for read in lent.reads] == [2, 2]
    assert lent.answer(np.array([5])).tolist() == [6] and lent.reads[-1].in_flight == 1


def test_who_comes_alone_waits_once():
    lent = Lent(X, Desk(patience=0.01))
    lent.hold = 2
    lent.answer(np.array([1]))
    lent.answer(np.array([1]))
    assert [read.in_flight for read in lent.reads] == [1, 1]


@pytest.mark.parametrize("asked", [[12], [-1], [0.5], [[1]], [1] * 13], ids=str)
def test_what_is_no_element_is_refused(asked):
    with pytest.raises(ValueError, match="elements are"):
        Lent(X, Desk()).answer(np.array(asked))
