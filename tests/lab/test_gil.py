"""Timelines of made-up workers; and that watching real ones yields steps on two threads."""

import pytest

from tinytorch.core import kernels
from tinytorch.lab import gil
from tinytorch.lab.gil import Lock, Pair, Step, Worker


def python(*steps):
    return Worker("Python", [Step(1, *step) for step in steps])


def numpy(*steps):
    return Worker("NumPy", [Step(2, *step) for step in steps])


def test_steps_in_a_row_are_one_span():
    assert python((0, 1, 1), (1, 2, 0.95), (2, 3, 1)).running() == [(0, 3)]


def test_a_python_step_that_waited_runs_at_its_end_and_numpys_call_at_its_start():
    assert python((0, 1, 1), (1, 6, 1)).running() == [(0, 1), (5, 6)]
    assert numpy((0, 5, 1), (5, 6, 1)).running() == [(0, 1), (5, 6)]


def test_turns_and_waits():
    worker = python((0, 1, 1), (1, 6, 1), (6, 8, 2))
    assert gil.longest_turn(worker) == 3 and gil.longest_wait(worker) == 4
    assert gil.longest_wait(python((0, 1, 1))) == 0.0


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        (python((0, 1, 1), (1, 3, 1)), python((0, 2, 1), (2, 4, 1)), 0.0),  # turns
        (python((0, 4, 4)), numpy((0, 4, 4)), 1.0),
        (python((0, 4, 4)), numpy((0, 4, 2)), 1.0),  # all of the time until one is done
        (python((0, 4, 4)), numpy((0, 1, 1), (3, 4, 1)), 0.5),
        (python((0, 1, 1)), numpy((2, 3, 1)), 0.0),  # one after the other
    ],
)
def test_the_share_of_time_in_which_both_ran(first, second, share):
    assert Pair([first, second], 0.0).together == pytest.approx(share)


def test_the_conclusion_goes_pair_by_pair():
    lock = Lock(
        [
            Pair([python((0, 1, 1), (1, 3, 1)), python((0, 2, 1), (2, 4, 1))], 0.0),
            Pair([python((0, 4, 4)), numpy((0, 4, 4))], 0.0),
            Pair([numpy((0, 4, 4)), numpy((0, 1, 1), (3, 4, 1))], 0.0),
        ],
        ["A note."],
    )
    assert gil.conclusion(lock) == (
        "Two Python workers: both ran for 0% of the time, and one waited up to 1000 ms for its "
        "turn. Python beside NumPy: both ran for 100% of the time. Two NumPy workers: both ran for "
        "50% of the time, and one waited up to 2000 ms for its turn. NumPy computes without the "
        "lock: what its two workers waited for is a free core.\nA note."
    )


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(gil, "_JOB", 0.004)
    monkeypatch.setattr(gil, "_NUMPY_STEP", 0.001)


@pytest.mark.parametrize("coarse", [False, True])
def test_three_pairs_are_watched_on_the_readers_pool(short, monkeypatch, coarse):
    if coarse:
        monkeypatch.setattr(
            gil.time, "get_clock_info", lambda name: type("Info", (), {"resolution": 0.0156})
        )
    lock = gil.watch_lock(kernels)
    kinds = [tuple(worker.kind for worker in pair.workers) for pair in lock.pairs]
    assert kinds == [("Python", "Python"), ("Python", "NumPy"), ("NumPy", "NumPy")]
    for pair in lock.pairs:
        assert 0 <= pair.together <= 1 and pair.seconds > 0
        for worker in pair.workers:
            assert all(start <= end for start, end in worker.running())
    assert not any("ThreadPoolExecutor" in note for note in lock.notes)


@pytest.mark.parametrize("pool", [None, lambda items, operation, num_workers: [], print])
def test_without_the_readers_pool_another_one_runs_the_workers(short, pool, capsys):
    lock = gil.watch_lock({"parallel_batch_processing": pool})
    assert len(lock.pairs) == 3 and "a ThreadPoolExecutor ran the workers" in lock.notes[0]


def one_after_the_other(items, operation, num_workers):
    return [operation(item) for item in items]


def test_a_pool_of_one_thread_and_a_single_core_are_said_so(short, monkeypatch):
    monkeypatch.setattr(gil, "cores", lambda: 1)
    monkeypatch.setattr(gil, "has_lock", lambda: False)
    lock = gil.watch_lock({"parallel_batch_processing": one_after_the_other})
    assert lock.notes[0] == "Both workers ran on the same thread, one after the other."
    assert lock.notes[1].startswith("One core") and "no global lock" in lock.notes[2]
