"""The pictures: what their captions conclude, and that a guess is shown, or a bad one explained."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")

import matplotlib.pyplot as plt

from tinytorch.lab.plots import bars, histogram, lines
from tinytorch.lab.style import you_guessed

TIMES = {"loops": [0.2, 0.1, 0.11], "yours": [0.001, 0.0011, 0.001]}


def test_bars_conclude_how_many_times_faster(drawn, capsys):
    bars(TIMES, "a title", guess=40)
    assert any("yours: 110 times as fast as loops; you guessed 40." in t for t in drawn)
    assert "a title" in drawn and "your guess" in drawn
    assert "110 times as fast" in capsys.readouterr().out


def test_without_a_guess_none_is_drawn(drawn):
    bars(TIMES, "a title")
    assert "your guess" not in drawn and not any("you guessed" in t for t in drawn)


@pytest.mark.parametrize("guess", ["10x", -1, 0, float("nan"), True, [3]])
def test_a_guess_that_is_no_positive_number_is_explained(drawn, capsys, guess):
    bars(TIMES, "a title", guess=guess)
    assert "write a positive number" in capsys.readouterr().out
    assert "your guess" not in drawn


def test_lines_are_labelled_at_their_ends_and_carry_their_caption(drawn):
    sizes = [2**e for e in range(13, 28)]
    series = {"copy": (sizes, np.linspace(80, 10, 15)), "peer": (sizes, [1.0] * 15)}
    lines(series, xlabel="working set", ylabel="GB/s", caption="It falls.", guess=2**20,
          guess_y=30, x_in_bytes=True)  # fmt: skip
    assert {"copy", "peer", "working set", "GB/s"} <= set(drawn)
    assert drawn.count("your guess") == 2
    assert any(t.startswith("It falls.") for t in drawn)
    assert "8 KiB" in drawn


def test_a_histogram_concludes_the_spread(drawn):
    histogram([1e-6, 2e-6, 2e-6, 5e-6], "runs of one call", guess=3)
    assert any("The slowest run took 5 times as long as the fastest; you guessed 3." in t
               for t in drawn)  # fmt: skip
    assert {"minimum 1 µs", "median 2 µs", "middle half in grey", "your guess"} <= set(drawn)


def test_a_histogram_says_where_the_middle_half_lies(drawn):
    histogram([1e-6 * n for n in range(1, 8)], "runs of one call")
    assert any("Half of the runs took between 2 µs and 6 µs." in t for t in drawn)


def test_a_histogram_of_equal_times_is_drawn(drawn):
    histogram([1e-6] * 5, "no spread")
    assert any("1 times as long" in t for t in drawn)


@pytest.mark.parametrize(
    ("guess", "says"), [(None, ""), (0, " You guessed 0."), (2.5, " You guessed 2.5."), ("2x", "")]
)
def test_a_guess_is_said_in_words_where_it_is_a_number(guess, says):
    assert you_guessed(guess) == says


@pytest.mark.parametrize("guess", [1e-30, 1e30])
def test_a_wild_guess_does_not_flatten_the_picture(monkeypatch, guess):
    limits = []
    monkeypatch.setattr(plt, "show", lambda: limits.append(plt.gca().get_xlim()))
    lines({"a": ([1, 10], [1, 2])}, xlabel="x", ylabel="y", caption="", guess=guess)
    histogram([1e-6, 2e-6], "t", guess=1e30)
    bars(TIMES, "t", guess=guess)
    assert limits[0][0] > 1e-3 and limits[0][1] < 1e4
    assert limits[1][1] < 1e-3 and 1e-6 < limits[2][1] < 100
