"""What quantization costs, in numbers, on cases small enough to compute by hand."""

import numpy as np
import pytest

from tinytorch.core.kernels import quantized_matmul, vectorized_relu
from tinytorch.core.tensor import Tensor
from tinytorch.lab.quantization import (
    channel_errors,
    digits_by_bits,
    first_wrong_sum,
    last_level,
    levels,
    relative_error,
    safe_terms,
    saturation_rate,
    sums_are_exact,
    sweep_bits,
    sweep_scales,
)


def test_two_bits_have_four_levels():
    x = [-9.0, -2.0, -0.6, 0.4, 0.6, 9.0]
    assert levels(x, 1.0, bits=2).tolist() == [-2, -2, -1, 0, 1, 1]
    assert [last_level(bits) for bits in (2, 4, 8)] == [1, 7, 127]
    assert levels(x, 1.0).dtype == np.int8


@pytest.mark.parametrize("bits", [0, 1, 9, 2.5])
def test_bits_that_int8_does_not_hold_are_refused(bits):
    with pytest.raises(ValueError, match="from 2 to 8"):
        levels([1.0], 1.0, bits)


def test_the_saturation_rate_counts_what_rounds_beyond_the_levels():
    x = np.array([-129, -128.4, -128, 0, 127, 127.4, 127.6, 300])
    assert saturation_rate(x, 1.0) == 3 / 8
    assert saturation_rate(x, 1.0, bits=2) == 7 / 8
    assert saturation_rate(x, 3.0) == 0
    assert saturation_rate([], 1.0) == 0


def test_the_error_is_relative_and_zero_where_nothing_is_wrong():
    assert relative_error([3.0, 4.0], [3.0, 4.0]) == 0
    assert relative_error([0.0, 0.0], [3.0, 4.0]) == 1
    assert relative_error([[3.0, 1.0]], [[1.0, 1.0]], axis=0).tolist() == [2, 0]
    assert relative_error([0.0], [0.0]) == 0 and relative_error([1.0], [0.0]) == np.inf
    assert relative_error([np.nan], [1.0]) == np.inf


def test_levels_that_are_exact_have_no_error():
    A, B = np.array([[1.0, -2.0]]), np.array([[63.5], [0.5]])
    sweep = sweep_scales(quantized_matmul, A, B, scales=[0.25, 0.5, 1.0])
    assert sweep.error[1] == 0 and sweep.best == 1 and sweep.covering == 0.5
    assert sweep.saturated.tolist() == [0.25, 0, 0]
    assert sweep.cut_off[0] > 0 and sweep.cut_off[1:].tolist() == [0, 0]
    assert sweep.blurred[:2].tolist() == [0, 0] and sweep.blurred[2] > 0


def test_the_readers_own_kernel_is_the_one_that_is_measured():
    calls = []

    def product(A, B, scale_A, scale_B):
        calls.append((A.dtype, scale_A))
        return quantized_matmul(A, B, scale_A, scale_B)

    sweep_scales(product, np.ones((2, 2)), np.ones((2, 2)), scales=[0.1, 0.2])
    assert calls == [(np.int8, 0.1), (np.int8, 0.2)]


def test_matrices_of_zeros_are_never_wrong():
    zeros = np.zeros((2, 2))
    assert not sweep_scales(quantized_matmul, zeros, zeros).error.any()
    assert set(sweep_bits(quantized_matmul, zeros, zeros, bits=[2, 8]).least.values()) == {0}


def test_every_bit_more_lowers_the_least_error():
    rng = np.random.default_rng(1)
    sweep = sweep_bits(quantized_matmul, rng.standard_normal((32, 64)), rng.random((64, 16)) - 0.5)
    least = [sweep.least[bits] for bits in range(2, 9)]
    assert least == sorted(least, reverse=True) and len(set(least)) == 7
    assert least[0] > 15 * least[-1]


def test_an_outlier_channel_spoils_the_others_unless_each_has_its_own_scale():
    rng = np.random.default_rng(2)
    A, W = rng.standard_normal((50, 40)), rng.standard_normal((40, 6))
    W[:, 3] *= 100
    found = channel_errors(quantized_matmul, A, W)
    assert found.outlier == 3 and 50 < found.factor < 200
    assert found.others.tolist() == [True, True, True, False, True, True]
    assert np.all(found.one_scale[found.others] > 10 * found.own_scales[found.others])
    assert found.one_scale[3] == pytest.approx(found.own_scales[3])


def test_one_channel_alone_cannot_be_compared():
    with pytest.raises(ValueError, match="two output channels"):
        channel_errors(quantized_matmul, np.ones((2, 3)), np.ones((3, 1)))


@pytest.mark.parametrize(
    ("dtype", "terms"), [("int8", 0), ("int16", 1), ("float32", 1024), ("int32", 131071)]
)
def test_headroom_as_computed_and_as_measured(dtype, terms):
    assert safe_terms(dtype) == terms
    assert first_wrong_sum(dtype) == terms + 1


def test_a_sum_too_long_to_add_one_by_one_is_refused():
    with pytest.raises(ValueError, match="one by one"):
        first_wrong_sum(np.float64)


def accumulating_in(dtype):
    def product(A, B, *scales):
        terms = (A.astype(np.int64) * B.T.astype(np.int64)).astype(dtype)
        return Tensor(np.cumsum(terms, dtype=dtype)[-1:].reshape(1, 1).astype(np.float32))

    return product


def test_narrow_sums_show_and_wide_ones_do_not():
    tried = (1, 2, 1000, 1027, 100_000)
    assert sums_are_exact(quantized_matmul, tried) == [True] * 5
    assert sums_are_exact(accumulating_in(np.int32), tried) == [True] * 5
    assert sums_are_exact(accumulating_in(np.float32), tried) == [True, True, True, False, False]
    assert sums_are_exact(accumulating_in(np.int16), tried) == [True] + [False] * 4
    assert sums_are_exact(accumulating_in(np.int8), tried) == [False] * 5


def test_the_digits_keep_their_accuracy_at_eight_bits_and_lose_it_at_two():
    found = digits_by_bits(quantized_matmul, vectorized_relu, bits=[2, 8])
    assert found.bits == [2, 8] and found.unquantized >= 0.97
    assert found.own_scales[1] >= found.unquantized - 0.005
    assert found.own_scales[0] < 0.7 and found.one_scale[0] < 0.7
