"""Interleaved timing: who is called when, and how often. No test reads a duration."""

import gc

import pytest

from tinytorch.lab.measure import machine_line, race, spread


def test_contestants_take_turns_and_the_order_rotates():
    calls = []
    times = race({n: lambda n=n: calls.append(n) for n in "abc"}, rounds=4, number=1)
    assert "".join(calls) == "abcbcacababc"
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 4, "b": 4, "c": 4}


def test_short_calls_are_repeated_within_a_reading():
    calls = []
    race({"short": lambda: calls.append(1)}, rounds=3)
    assert len(calls) > 2 + 3


def test_times_are_positive():
    (times,) = race({"x": lambda: sum(range(100))}, rounds=3).values()
    assert all(t > 0 for t in times)


def test_the_collector_is_off_while_timing_and_on_again_even_after_an_error():
    seen = []
    race({"x": lambda: seen.append(gc.isenabled())}, rounds=2, number=1)
    assert seen == [False, False] and gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        race({"x": lambda: 1 / 0}, number=1)
    assert gc.isenabled()


def test_no_contestants_give_no_times():
    assert race({}) == {}


def test_the_machine_is_described_in_one_line():
    assert "core" in machine_line() and "NumPy" in machine_line() and "\n" not in machine_line()


def test_the_spread_of_known_readings():
    assert spread([4.0, 1.0, 3.0, 2.0, 5.0, 7.0, 6.0]) == (1, 2, 4, 6)
    assert spread([4.0, 1.0, 3.0, 2.0, 5.0, 7.0, 6.0]).iqr == 4


def test_one_reading_has_no_spread():
    assert spread([3.0]) == (3, 3, 3, 3) and spread([3.0]).iqr == 0
