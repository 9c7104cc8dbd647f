"""The contract of parallel_batch_processing: order, concurrency, errors, foreign executors."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.core.kernels import parallel_batch_processing, vectorized_relu
from tinytorch.core.tensor import Tensor


class Gauge:
    """An operation that opens only when `expected` threads are inside, and counts the most."""

    def __init__(self, expected: int) -> None:
        self.most = self._inside = 0
        self._lock = threading.Lock()
        self._barrier = threading.Barrier(expected)

    def __call__(self, item: int) -> int:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._barrier.wait(timeout=30)
        with self._lock:
            self._inside -= 1
        return -item


@given(items=st.lists(st.integers()), workers=st.integers(1, 9))
def test_results_come_in_input_order(items, workers):
    assert parallel_batch_processing(items, lambda v: v + 1, workers) == [v + 1 for v in items]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_exactly_num_workers_operations_run_at_the_same_time(workers):
    gauge = Gauge(workers)
    got = parallel_batch_processing(range(4 * workers), gauge, num_workers=workers)
    assert got == [-v for v in range(4 * workers)]
    assert gauge.most == workers


@pytest.mark.parametrize("workers", [1, 3])
def test_a_larger_foreign_executor_never_runs_more_than_num_workers(workers):
    gauge = Gauge(workers)
    with ThreadPoolExecutor(16) as pool:
        got = parallel_batch_processing(range(4 * workers), gauge, workers, executor=pool)
    assert got == [-v for v in range(4 * workers)]
    assert gauge.most == workers


def test_a_foreign_executor_is_left_open():
    with ThreadPoolExecutor(2) as pool:
        parallel_batch_processing([1, 2], abs, executor=pool)
        assert pool.submit(abs, -3).result() == 3


@pytest.mark.parametrize("foreign", [False, True])
def test_an_exception_of_the_operation_propagates(foreign):
    def fail_on_two(item):
        if item == 2:
            raise LookupError("item 2")
        return item

    with ThreadPoolExecutor(2) as pool, pytest.raises(LookupError, match="item 2"):
        parallel_batch_processing(range(9), fail_on_two, 2, executor=pool if foreign else None)


def test_after_an_exception_the_waiting_operations_of_a_foreign_executor_are_cancelled():
    class Recorder(ThreadPoolExecutor):
        futures: list[Future] = []  # noqa: RUF012 (one test, one instance)

        def submit(self, *args, **kwargs):
            future = super().submit(*args, **kwargs)
            self.futures.append(future)
            return future

    hold = threading.Event()

    def first_fails(item):
        if item == 0:
            raise LookupError
        hold.wait(timeout=30)

    with Recorder(1) as pool:
        with pytest.raises(LookupError):
            parallel_batch_processing(range(6), first_fails, 4, executor=pool)
        hold.set()
    assert any(future.cancelled() for future in Recorder.futures)


@pytest.mark.parametrize("foreign", [False, True])
def test_an_empty_batch_gives_an_empty_list(foreign):
    with ThreadPoolExecutor(1) as pool:
        assert parallel_batch_processing([], abs, executor=pool if foreign else None) == []


def test_batches_may_be_tensors_generators_and_arrays():
    batch = (Tensor(np.full(2, v)) for v in (-1.0, 2.0))
    got = parallel_batch_processing(batch, vectorized_relu, 2)
    assert [t.data.tolist() for t in got] == [[0.0, 0.0], [2.0, 2.0]]
    rows = parallel_batch_processing(np.eye(3), np.sum, 2)
    assert rows == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("bad", [0, -1, 0.5])
@pytest.mark.parametrize("batch", [[], [1, 2]])
def test_fewer_than_one_worker_is_refused(bad, batch):
    with pytest.raises(ValueError, match="num_workers"):
        parallel_batch_processing(batch, abs, num_workers=bad)


def test_what_is_no_batch_or_no_operation_is_refused():
    with pytest.raises(TypeError):
        parallel_batch_processing(3, abs)
    with pytest.raises(TypeError, match="operation"):
        parallel_batch_processing([], 3)
    with pytest.raises(TypeError, match="executor"):
        parallel_batch_processing([1], abs, executor=3)


@pytest.mark.parametrize("foreign", [False, True])
def test_even_stop_iteration_propagates(foreign):
    def stop(item):
        raise StopIteration

    with ThreadPoolExecutor(1) as pool, pytest.raises(StopIteration):
        parallel_batch_processing([1], stop, 1, executor=pool if foreign else None)
