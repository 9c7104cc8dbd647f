"""Who touches what: threads that share, threads that only seem to."""

import threading

import numpy as np
import pytest
from relu_crews import (
    all_do_everything,
    alone,
    caller_takes_half,
    element_by_element,
    one_after_the_other,
    pool_of_pieces,
)

from tinytorch.lab.crew import watch_crew

N = 4_000
X = np.random.default_rng(0).standard_normal(N, dtype=np.float32)


@pytest.mark.parametrize("kernel", [pool_of_pieces, caller_takes_half, element_by_element])
def test_threads_that_share_are_seen_sharing(kernel):
    crew = watch_crew(kernel, X, 2)
    assert len(crew.workers(N)) == 2
    assert crew.together and crew.most <= 2


def test_one_after_the_other_is_not_together():
    crew = watch_crew(one_after_the_other, X, 2, patience=0.05)
    assert len(crew.workers(N)) == 4
    assert (crew.together, crew.most, crew.started) == (False, 1, 4)


def test_who_does_everything_does_not_share():
    crew = watch_crew(all_do_everything, X, 2)
    assert len(crew.touched) == 2 and crew.workers(N) == []


def test_the_caller_alone_is_no_crew():
    crew = watch_crew(alone, X, 2)
    assert (crew.seen, crew.workers(N), crew.started) == (False, [], 0)


@pytest.mark.parametrize("use", [True, False])
def test_a_caller_that_does_everything_again_is_noted(use):
    def kernel(x, workers):
        shared = pool_of_pieces(x, workers)
        return shared if use else alone(x, workers)

    assert watch_crew(kernel, X, 2).again is not use


def test_what_a_kernel_raises_propagates_and_threads_run_as_before():
    def fails(x, workers):
        raise OSError("from the kernel")

    run = threading.Thread.run
    with pytest.raises(OSError, match="from the kernel"):
        watch_crew(fails, X, 2)
    assert threading.Thread.run is run
