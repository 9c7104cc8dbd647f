"""Counters: executed lines, operations in flight, meetings."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from tinytorch.core.kernels import cache_friendly_matmul, parallel_batch_processing, vectorized_relu
from tinytorch.lab.counters import Gauge, Meeting, python_steps


def loop_relu(x):
    out = np.empty_like(x)
    for i in range(len(x)):
        out[i] = x[i] if x[i] > 0 else 0
    return out


def positive(value):
    return value if value > 0 else 0


STYLES = {
    "loop": loop_relu,
    "comprehension": lambda x: np.array([v if v > 0 else 0 for v in x]),
    "generator": lambda x: np.fromiter((v if v > 0 else 0 for v in x), x.dtype),
    "helper": lambda x: np.array(list(map(positive, x))),
    "np.vectorize": lambda x: np.vectorize(positive)(x),
    "one line": lambda x: [positive(v) for v in x],
}


@pytest.mark.parametrize("style", STYLES)
def test_a_loop_grows_with_n_in_every_style(style):
    small, large = (python_steps(STYLES[style], np.ones(n)) for n in (10, 1000))
    assert large - small >= 990


def test_a_vectorized_kernel_takes_the_same_steps_for_any_n():
    own = [python_steps(lambda x: np.maximum(x, 0), np.ones(n)) for n in (10, 1000)]
    exported = [python_steps(vectorized_relu, np.ones(n)) for n in (10, 1000)]
    assert own == [1, 1] and exported[0] == exported[1] > 0


def test_lines_are_counted_exactly():
    def three(x):
        y = x + 1
        z = y + 1
        return z

    assert python_steps(three, 1) == python_steps(partial(three, 1)) == 3


def test_methods_objects_and_keywords_are_counted():
    class Kernel:
        def __call__(self, x):
            y = x
            return y

        def method(self, x):
            return x

    assert python_steps(Kernel(), x=1) == 2
    assert python_steps(Kernel().method, x=1) == 1


def test_library_code_is_not_counted():
    def library(x):
        return cache_friendly_matmul(x, x)

    assert python_steps(library, np.ones((4, 4))) == 1
    assert python_steps(np.linalg.norm, np.ones(4)) >= 0


def test_the_tracer_that_was_there_goes_on_and_errors_propagate():
    def fail():
        raise KeyError("mine")

    def tracer(*_):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        with pytest.raises(KeyError, match="mine"):
            python_steps(fail)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    with pytest.raises(TypeError, match="got int"):
        python_steps(3)


def test_a_gauge_knows_the_most_that_were_inside_at_once():
    meeting, gauge = Meeting(3), Gauge()
    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(gauge.around(lambda _: meeting.arrive()), range(3)))
    assert (gauge.highest, gauge.entries, gauge.inside) == (3, 3, 0)
    assert len(gauge.threads) == 3 and threading.get_ident() not in gauge.threads


def test_a_gauge_of_serial_work_stays_at_one():
    gauge = Gauge()
    assert list(map(gauge.around(abs), [-1, 2, -3])) == [1, 2, 3]
    assert (gauge.highest, gauge.entries) == (1, 3)


def test_a_gauge_is_left_after_an_error():
    gauge = Gauge()
    with pytest.raises(ZeroDivisionError):
        gauge.around(lambda: 1 / 0)()
    assert (gauge.highest, gauge.inside) == (1, 0)


def test_a_meeting_proves_concurrency_and_later_ones_pass():
    meeting = Meeting(2)
    results = parallel_batch_processing(range(5), lambda _: meeting.arrive(), num_workers=2)
    assert results == [True] * 5 and meeting.met


def test_a_serial_run_never_meets_and_waits_once():
    meeting = Meeting(2, timeout=0.01)
    assert [meeting.arrive() for _ in range(3)] == [False] * 3
    assert not meeting.met


def test_a_late_second_party_does_not_meet():
    meeting = Meeting(2, timeout=0.01)
    meeting.arrive()
    thread = threading.Thread(target=meeting.arrive)
    thread.start()
    thread.join()
    assert not meeting.met


@pytest.mark.parametrize("options", [{"parties": 0}, {"parties": 2, "timeout": 0}])
def test_an_impossible_meeting_is_refused(options):
    with pytest.raises(ValueError, match="got 0"):
        Meeting(**options)
