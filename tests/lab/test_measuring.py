"""Measurement, measured, by clocks that are known. No test reads a duration."""

import gc
import tracemalloc

import matplotlib

matplotlib.use("agg")

import pytest

from tinytorch.lab.measuring import Timer, TracingCost, call_by_call, timer, tracing_cost
from tinytorch.lab.measuring_plots import first_calls, tracing_bars


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def test_the_first_call_is_kept_and_the_calls_take_turns(clock):
    order = []

    def slow_at_first():
        order.append("a")
        clock.advance(8.0 if order.count("a") == 1 else 1.0)

    def even():
        order.append("b")
        clock.advance(2.0)

    times = call_by_call({"a": slow_at_first, "b": even}, count=3, clock=clock)
    assert times == {"a": [8, 1, 1], "b": [2, 2, 2]}
    assert "".join(order) == "ababab"


def test_the_collector_is_off_meanwhile_and_on_again_after_an_error(clock):
    seen = []
    call_by_call({"x": lambda: seen.append(gc.isenabled())}, count=2, clock=clock)
    assert seen == [False, False] and gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        call_by_call({"x": lambda: 1 / 0}, clock=clock)
    assert gc.isenabled()


def test_tracing_is_on_for_half_of_the_readings_and_off_at_the_end(clock):
    def call():
        clock.advance(5.0 if tracemalloc.is_tracing() else 1.0)

    costs = tracing_cost({"x": call}, rounds=3, clock=clock)
    assert costs == {"x": TracingCost([1, 1, 1], [5, 5, 5])}
    assert not tracemalloc.is_tracing()


def test_tracing_takes_turns_and_is_off_after_an_error(clock):
    states = []

    def call():
        states.append(tracemalloc.is_tracing())
        if len(states) == 6:
            raise OSError("from the call")

    tracing_cost({"x": call}, rounds=2, clock=clock)
    assert states == [False, False, True, True, False]  # the first is the warm-up
    with pytest.raises(OSError, match="from the call"):
        tracing_cost({"x": call}, rounds=2, clock=clock)
    assert not tracemalloc.is_tracing() and gc.isenabled()


def test_a_readers_own_tracing_is_left_alone(clock, capsys):
    tracemalloc.start()
    try:
        assert tracing_cost({"x": list}, clock=clock) == {}
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    assert "stop it" in capsys.readouterr().out


def test_the_smallest_step_and_the_price_of_a_reading():
    reads = iter([0.0, 0.0, 4.0, 4.0, 6.0])
    found = timer(readings=5, clock=lambda: next(reads))
    assert found.step == 2 and found.reading == 1.5 and found.claimed > 0


def test_a_clock_that_stands_still_has_no_step(clock):
    found = timer(readings=10, clock=clock)
    assert found.step == 0 and "did not move" in str(found)


def test_one_reading_makes_no_step():
    with pytest.raises(ValueError, match="at least 2"):
        timer(readings=1)


def test_the_clock_in_a_sentence():
    coarse, fine = Timer(1e-6, 5e-8, 1e-7), Timer(4e-8, 5e-8, 1e-9)
    assert "step seen is 1 µs, the system claims 100 ns, and one reading costs 50 ns" in str(coarse)
    assert "repeat what takes less than 100 µs." in str(coarse)
    assert "40 ns (it may be finer" in str(fine) and "less than 5 µs." in str(fine)


def test_this_machines_clock_has_its_sentence():
    assert "reading" in str(timer(readings=1000))


def test_first_calls_conclude_how_much_longer_they_took(drawn, capsys):
    times = {"fresh": [8e-3, 1e-3, 2e-3, 2e-3], "warm": [1e-3, 1e-3]}
    first_calls(times, "a title", guess=3)
    said = capsys.readouterr().out
    assert "fresh: 8 ms first, 2 ms later (median), 4 times as long. You guessed 3." in said
    assert "warm: 1 ms first, 1 ms later (median), 1 times as long." in said
    assert {"a title", "fresh", "warm", "your guess"} <= set(drawn)


def test_tracing_concludes_how_much_it_costs(drawn, capsys):
    costs = {"floats": TracingCost([1e-3] * 3, [5e-3] * 3), "array": TracingCost([1e-3], [1e-3])}
    tracing_bars(costs, "a title", guess=2)
    said = capsys.readouterr().out
    assert "floats: 5 times as long with tracing as without." in said
    assert "array: no difference beyond the spread. You guessed 2 for floats." in said
    assert {"floats", "floats, traced", "array, traced", "your guess"} <= set(drawn)


def test_where_nothing_was_measured_nothing_is_drawn(drawn):
    tracing_bars({}, "a title")
    assert drawn == []


def test_calls_too_short_for_the_clock_are_drawn_too(drawn):
    first_calls({"x": [0.0, 0.0]}, "t")
    tracing_bars({"x": TracingCost([0.0], [0.0])}, "t")


@pytest.mark.parametrize("guess", ["10x", -1, float("nan"), 1e-30, 1e30])
def test_bad_and_wild_guesses_are_survived(drawn, guess):
    first_calls({"x": [2.0, 1.0]}, "t", guess=guess)
    tracing_bars({"x": TracingCost([1.0], [2.0])}, "t", guess=guess)
