"""Pictures of quantization: what their captions conclude, and that guesses and bad kernels show."""

import matplotlib

matplotlib.use("agg")

import numpy as np
import pytest

from tinytorch.core.kernels import quantized_matmul
from tinytorch.core.tensor import Tensor
from tinytorch.lab.headroom_plots import digits_accuracy, headroom
from tinytorch.lab.quantization import (
    BitsSweep,
    ChannelErrors,
    DigitsAccuracy,
    ScaleSweep,
    sweep_bits,
    sweep_scales,
)
from tinytorch.lab.quantization_plots import (
    bits_and_scale,
    channel_dots,
    scale_tradeoff,
)

SWEEP = ScaleSweep(
    bits=8,
    scales=np.array([0.01, 0.02, 0.04, 0.08]),
    error=np.array([0.5, 0.02, 0.03, 0.06]),
    cut_off=np.array([0.5, 0.01, 0, 0]),
    blurred=np.array([0.01, 0.015, 0.03, 0.06]),
    saturated=np.array([0.4, 0.001, 0, 0]),
    covering=0.04,
)
BITS = BitsSweep(np.array([0.5, 1.0]), {4: np.array([0.2, 0.3]), 8: np.array([0.1, 0.02])}, 3.0)
CHANNELS = ChannelErrors(np.array([0.5, 0.01, 0.7]), np.array([0.01, 0.01, 0.02]), 1, 100.0)
DIGITS = DigitsAccuracy([2, 4, 8], [0.4, 0.975, 0.98], [0.2, 0.9, 0.98], 0.98)
ALL = [(scale_tradeoff, SWEEP), (bits_and_scale, BITS), (channel_dots, CHANNELS),
       (headroom, None), (digits_accuracy, DIGITS)]  # fmt: skip


def test_the_best_scale_stands_beside_the_covering_one(drawn, capsys):
    scale_tradeoff(SWEEP, guess=0.03)
    said = capsys.readouterr().out
    assert "Least error 2 % at scale 0.02: values up to 2.5 are kept, 0.1 % of all are cut" in said
    assert "At 0.04, the largest value / 127" in said and "1.5 times the least" in said
    assert "You guessed 0.03." in said
    assert {"best", "max/127", "your guess", "measured", "if only cut off"} <= set(drawn)
    assert "values cut off, %" in drawn


def test_bits_conclude_how_much_each_is_worth(drawn, capsys):
    bits_and_scale(BITS, guess=16)
    said = capsys.readouterr().out
    assert "4 bits in place of 8: 10 times the error, 1.8 times for each bit. You guessed" in said
    assert "4 bits do best with values up to 50 % of the largest, 8 with 100 %" in said
    assert {"4 bits", "8 bits", "your guess"} <= set(drawn)


def test_channels_conclude_what_one_scale_costs_the_others(drawn, capsys):
    channel_dots(CHANNELS, guess=10)
    said = capsys.readouterr().out
    assert "Channel 1 has weights 100 times as large" in said
    assert "off by 60 %" in said and "own by 1.5 %: 40 times less. You guessed 10." in said
    assert {"the outlier", "one scale for all", "own scale", "your guess"} <= set(drawn)


def test_headroom_says_where_each_accumulator_is_wrong(drawn, capsys):
    headroom(quantized_matmul, guess=1025)
    said = capsys.readouterr().out
    assert "int8 at 1, int16 at 2, float32 at 1,025, int32 at 131,072 terms" in said
    assert "You guessed 1,025 for float32." in said
    assert "Your kernel is right with up to 100,000 terms." in said
    assert {"int16 holds 32,767", "int32: wrong at 131,072"} <= set(drawn)


def test_a_kernel_with_narrow_sums_is_told_so(drawn, capsys):
    headroom(lambda A, B: Tensor(A.astype(np.int16) @ B.astype(np.int16)))
    assert "Your kernel is wrong with 2, 10" in capsys.readouterr().out


def test_the_digits_conclude_how_few_bits_are_enough(drawn, capsys):
    digits_accuracy(DIGITS, guess=5)
    said = capsys.readouterr().out
    assert "float32 reads 98.0 % of the digits. 4 bits lose at most one point." in said
    assert "You guessed 5 bits." in said
    assert "With 2 bits: 40 % with a scale per output channel, 20 % with one scale" in said


def test_digits_that_are_never_read_well_are_said_to_be(drawn, capsys):
    digits_accuracy(DigitsAccuracy([4, 8], [0.1, 0.1], [0.1, 0.1], 0.98))
    assert "No number of bits tried loses at most one point." in capsys.readouterr().out


@pytest.mark.parametrize(("draw", "found"), ALL)
@pytest.mark.parametrize("guess", ["10x", -1, float("nan"), True])
def test_a_bad_guess_is_explained_once(drawn, capsys, draw, found, guess):
    draw(found, guess=guess)
    assert capsys.readouterr().out.count("write a positive number") == 1
    assert "your guess" not in drawn


@pytest.mark.parametrize(("draw", "found"), ALL)
@pytest.mark.parametrize("guess", [1e-30, 1e30])
def test_a_wild_guess_is_drawn_at_the_edge(drawn, draw, found, guess):
    draw(found, guess=guess)
    assert "your guess" in drawn


@pytest.mark.filterwarnings("error")  # which a notebook would show in red
def test_products_that_are_exact_are_drawn_too(drawn):
    zeros = np.zeros((2, 2))
    scale_tradeoff(sweep_scales(quantized_matmul, zeros, zeros))
    bits_and_scale(sweep_bits(quantized_matmul, zeros, zeros))
    channel_dots(ChannelErrors(np.zeros(3), np.zeros(3), 0, 1.0))


@pytest.mark.filterwarnings("error")
def test_a_kernel_that_returns_nonsense_is_drawn_too(drawn, capsys):
    def product(A, B, *scales):
        return Tensor(np.full((A.shape[0], B.shape[1]), np.nan, np.float32))

    ones = np.ones((4, 4))
    scale_tradeoff(sweep_scales(product, ones, ones))
    bits_and_scale(sweep_bits(product, ones, ones))
    channel_dots(ChannelErrors(np.full(3, np.inf), np.full(3, np.inf), 0, 1.0))
    headroom(product)
    assert "Your kernel is wrong with 1, 2" in capsys.readouterr().out
