"""Predicted tiles for made-up caches, and the sentence that compares them with made-up times."""

import pytest

from tinytorch.core import kernels
from tinytorch.core.simd import COMPILING
from tinytorch.lab import block_sweep as sweep

CACHES = {"L1": 32 * 1024, "L2": 512 * 1024}
N = 512


@pytest.mark.parametrize(
    ("caches", "itemsize", "blocks"),
    [
        (CACHES, 4, {"L1": 52, "L2": 209}),  # 3 x 52² x 4 = 32,448 bytes; 53² would be 33,708
        (CACHES, 8, {"L1": 36, "L2": 147}),
        ({"L1": 3 * 64 * 64 * 4}, 4, {"L1": 64}),  # to the byte
        ({"L3": 2**25}, 4, {}),
        ({}, 4, {}),
    ],
)
def test_three_tiles_fit(caches, itemsize, blocks):
    assert sweep.predicted_blocks(caches, itemsize) == blocks


def says(seconds, caches=CACHES, **options):
    predicted = sweep.predicted_blocks(caches, 4)
    return sweep.agreement({b: [t] for b, t in seconds.items()}, predicted, N, **options)


def test_unknown_caches_predict_nothing():
    assert says({32: 1.0, 64: 2.0}, {}) == (
        "fastest at 32; the caches of this machine are unknown, so nothing was predicted."
    )


@pytest.mark.parametrize(
    ("seconds", "part"),
    [
        ({16: 3.0, 32: 1.0, 64: 2.0, 128: 2.0}, "fastest at 32, as L1 predicts"),
        ({16: 3.0, 32: 2.0, 64: 2.0, 128: 1.0, 256: 2.0}, "fastest at 128, as L2 predicts"),
        ({16: 3.0, 32: 1.03, 64: 1.0, 128: 2.0}, "fastest at 64, and 32, as L1 predicts, is too"),
        ({16: 3.0, 32: 2.0, 64: 1.0, 128: 2.0}, "fastest at 64, between the predictions"),
        ({16: 1.0, 32: 2.0, 64: 2.0, 128: 2.0}, "fastest at 16, smaller than predicted"),
        ({16: 9.0, 128: 2.0, 512: 1.0}, "fastest at 512, the whole matrix, larger than predicted"),
    ],
)
def test_prediction_and_observation_are_compared(seconds, part):
    assert says(seconds).startswith(part)
    assert "(largest tiles of which three fit: L1 52, L2 209)" in says(seconds)


def test_the_cost_of_a_step_explains_why_larger_tiles_win():
    # 10 µs a step besides 0.01 s of arithmetic: 32,768 steps at 16, 64 at 128.
    seconds = {b: 0.01 + 10e-6 * (N // b) ** 3 for b in (16, 32, 64, 128, 256)}
    seconds[128] *= 2  # so that 128 is not too close to 256
    seconds = {16: 0.01 + 10e-6 * 32**3, 128: 0.01 + 10e-6 * 4**3, 256: 0.009}
    assert "A step costs 10.0 µs whatever its size, 6%" not in says(seconds)
    assert "The cost of a step, 6% of the time at 128, does not explain it: BLAS" in says(seconds)
    small = {16: 0.001 + 10e-6 * 32**3, 128: 0.001 + 10e-6 * 4**3, 256: 0.001}
    assert "A step costs 10.0 µs whatever its size, 39% of the time at 128" in says(small)


def test_loops_count_runs_of_the_innermost_loop():
    seconds = {b: 0.01 + 5e-9 * N**2 * (N // b) for b in (16, 128)} | {256: 0.009}
    text = says(seconds, loops=True)
    assert "A run of the innermost loop costs 5.0 ns whatever its size, 34% of the time" in text


def test_no_smaller_block_was_tried():
    assert says({256: 2.0, 512: 1.0}).endswith("No smaller block was tried.")


def test_the_readers_kernel_is_swept_and_so_are_loops():
    found = sweep.measure_blocks(kernels, n=20, blocks=(4, 7, 32), rounds=2)
    assert {b: len(times) for b, times in found.seconds.items()} == {4: 2, 7: 2, 32: 2}
    assert set(found.loops) == ({4, 7, 32} if COMPILING else set())
    assert sweep.conclusion(found).startswith("Yours: fastest at ")


@pytest.mark.parametrize(
    ("kernel", "says"),
    [
        (None, "cache_friendly_matmul: left out, cache_friendly_matmul is not written yet."),
        (lambda A, B, block_size: A + B, "cache_friendly_matmul: left out, its result is wrong."),
        (lambda A, B: A @ B, "cache_friendly_matmul: left out, TypeError: "),
    ],
)
def test_a_kernel_that_cannot_be_swept_is_left_out(kernel, says):
    found = sweep.measure_blocks({"cache_friendly_matmul": kernel}, n=8, blocks=(4,), rounds=1)
    assert found.seconds == {} and found.notes[0].startswith(says)
    assert says in sweep.conclusion(found)


@pytest.mark.skipif(not COMPILING, reason="slow in Python")
@pytest.mark.parametrize("block", [1, 5, 16, 99])
def test_the_loops_in_tiles_multiply(block):
    import numpy as np

    A, B = np.random.default_rng(0).standard_normal((2, 16, 16), dtype=np.float32)
    C = np.full_like(A, np.nan)
    sweep._loops_in_tiles(A, B, C, block)
    assert np.allclose(C, A @ B, atol=1e-5)
