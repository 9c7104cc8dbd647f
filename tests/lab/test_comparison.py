"""`compare`: turns, table, HTML, picture; with a profiler or without, and with one that fails."""

import re
from itertools import groupby
from types import SimpleNamespace

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest

from tinytorch.core.kernels import SimpleProfiler
from tinytorch.lab.comparison import Comparison, compare

TIMES = {"loops": [8e-3, 6e-3, 8e-3], "yours": [1e-3, 2e-3, 2e-3]}


def missing():
    raise NotImplementedError("not_written: write me")


def test_the_calls_take_turns():
    calls = []
    found = compare({n: lambda n=n: calls.append(n) for n in "ab"}, rounds=6)
    assert {name: len(seconds) for name, seconds in found.times.items()} == {"a": 6, "b": 6}
    assert len(list(groupby(calls))) >= 6, "one was timed as a whole before the other"


def test_the_numbers_of_each_row():
    first, second = Comparison(TIMES, memory={"yours": 2048}).rows
    assert first == ("loops", 8e-3, 2e-3, 6e-3, 1.0, None)
    assert second.median == 2e-3 and second.ratio == 4 and second.peak_memory == 2048


def test_the_table_in_a_terminal():
    lines = str(Comparison(TIMES)).splitlines()
    assert re.split(r"\s{2,}", lines[0].strip()) == [
        "median", "interquartile range", "minimum", "times as fast",
    ]  # fmt: skip
    assert re.split(r"\s{2,}", lines[1]) == ["loops", "8 ms", "2 ms", "6 ms", "1"]
    assert re.split(r"\s{2,}", lines[2]) == ["yours", "2 ms", "1 ms", "1 ms", "4"]
    assert len({len(line) for line in lines[:3]}) == 1, "the columns are not aligned"
    assert lines[3] == "Times as fast: as loops, by the medians." and "NumPy" in lines[4]


def test_names_in_html_are_escaped_and_no_script_is_needed():
    name = "<script>alert('x')</script> & \"co\""
    shown = Comparison(
        {name: [1.0]}, missing={name + "2": "<b>why</b>"}, notes=("<i>note</i>",)
    )._repr_html_()
    assert "<script" not in shown and "<b>" not in shown and "<i>" not in shown
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;co&quot;" in shown
    assert "&lt;b&gt;why" in shown and "&lt;i&gt;note" in shown


def test_html_has_one_row_a_call_and_as_many_cells_as_heads():
    shown = Comparison(TIMES, memory={"yours": 2048})._repr_html_()
    rows = re.findall(r"<tr>(.*?)</tr>", shown)
    assert [len(re.findall(r"<t[hd]", row)) for row in rows] == [6, 6, 6]
    assert "2 KiB" in rows[2] and ">-<" in rows[1]
    assert shown.count("<table>") == shown.count("</table>") == 1


def test_a_kernel_that_is_not_written_is_listed_with_its_message():
    found = compare({"stub": missing, "list": list}, rounds=2)
    assert list(found.times) == ["list"] and found.rows[0].ratio == 1
    assert "stub  not_written: write me" in str(found)
    assert "write me" in found._repr_html_()


def test_where_nothing_is_written_nothing_is_drawn(capsys):
    found = compare({"stub": missing}, rounds=2)
    found.draw()
    assert "nothing to draw" in capsys.readouterr().out
    assert "write me" in str(found) and "write me" in found._repr_html_()


def test_other_errors_are_the_callers():
    with pytest.raises(ZeroDivisionError):
        compare({"x": lambda: 1 / 0})


def test_the_readers_profiler_fills_the_memory():
    found = compare({"x": lambda: bytearray(100_000)}, rounds=2, profiler=SimpleProfiler(2, 1))
    assert 100_000 <= found.memory["x"] < 200_000 and "peak memory" in str(found)


@pytest.mark.parametrize(
    "profile",
    [
        missing,
        lambda call: None,
        lambda call: (None, {}),
        lambda call: (None, {"peak_memory": "x"}),
    ],
)
def test_a_profiler_that_fails_costs_a_sentence_and_not_the_table(profile):
    profiler = SimpleNamespace(
        profile=lambda call: profile() if profile is missing else profile(call)
    )
    found = compare({"x": list}, rounds=2, profiler=profiler)
    assert found.memory == {} and len(found.rows) == 1
    assert "No peak memory: the profiler raised" in str(found)


def test_the_picture_shows_the_guess(monkeypatch, capsys):
    texts = []

    def show():
        plt.gcf().canvas.draw()
        texts.extend(t.get_text() for t in plt.gcf().findobj(matplotlib.text.Text))

    monkeypatch.setattr(plt, "show", show)
    Comparison(TIMES).draw("a title", guess=3)
    assert {"a title", "loops", "yours", "your guess"} <= set(texts)
    assert "yours: 4 times as fast as loops; you guessed 3." in capsys.readouterr().out


def test_a_clock_that_did_not_move_gives_no_ratio():
    found = Comparison({"a": [0.0, 0.0], "b": [0.0, 0.0]})
    assert [row.ratio for row in found.rows] == [None, None]
    assert str(found) and found._repr_html_()
    found.draw()
