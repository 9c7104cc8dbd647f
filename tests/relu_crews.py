"""ReLUs by several threads, some of which only seem to share: what the crew's instruments are
tested with."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tinytorch.core.tensor import Tensor, as_array


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
        results = pool.map(lambda _: np.maximum(as_array(x), 0), range(workers))
        first, *_ = results
        return Tensor(first)


def alone(x, workers):
    return Tensor(np.maximum(as_array(x), 0))
