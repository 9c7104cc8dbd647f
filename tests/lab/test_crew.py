"""Who touches what: threads that share, threads that only seem to."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor, as_array
from tinytorch.lab.crew import watch_crew

N = 4_000
X = np.random.default_rng(0).standard_normal(N, dtype=np.float32)


def pool_of_pieces(x, workers):
    with ThreadPoolExecutor(workers) as pool:
        pieces = pool.map(lambda piece: np.maximum(piece, 0), np.array_split(as_array(x), workers))
        return Tensor(np.concatenate(list(pieces)))


def caller_takes_half(x, workers):
    values, out = as_array(x), np.empty_like(as_array(x))
    half = len(values) // 2
    other = threading.Thread(target=lambda: np.maximum(values[:half], 0, out=out[:half]))
    other.start()
    np.maximum(values[half:], 0, out=out[half:])
    other.join()
    return Tensor(out)


def element_by_element(x, workers):
    values, out = as_array(x), np.empty_like(as_array(x))

    def loop(start):
        for i in range(start, len(values), workers):
            out[i] = values[i] if values[i] > 0 else 0

    threads = [threading.Thread(target=loop, args=(start,)) for start in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Tensor(out)


def one_after_the_other(x, workers):
    values, out = as_array(x), np.empty_like(as_array(x))
    for i in range(0, len(values), 1000):
        thread = threading.Thread(target=lambda i=i: np.maximum(values[i:i + 1000], 0,
                                                                 out=out[i:i + 1000]))  # fmt: skip
        thread.start()
        thread.join()
    return Tensor(out)


def all_do_everything(x, workers):
    with ThreadPoolExecutor(workers) as pool:
        return Tensor(list(pool.map(lambda _: np.maximum(as_array(x), 0), range(workers)))[0])


def alone(x, workers):
    return Tensor(np.maximum(as_array(x), 0))


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
    assert list(crew.touched) == [threading.current_thread()]
    assert (crew.workers(N), crew.started) == ([], 0)


def test_what_a_kernel_raises_propagates_and_threads_run_as_before():
    def fails(x, workers):
        raise OSError("from the kernel")

    run = threading.Thread.run
    with pytest.raises(OSError, match="from the kernel"):
        watch_crew(fails, X, 2)
    assert threading.Thread.run is run
