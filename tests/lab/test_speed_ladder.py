"""What the ladder concludes from made-up readings, and from a reader who has written nothing."""

from tinytorch.lab import rungs
from tinytorch.lab.byte_model import product_work, relu_work
from tinytorch.lab.rungs import Reading
from tinytorch.lab.speed_ladder import Ladder, conclusion, measure_ladder


def product(name, n, gigaflops):
    work = product_work(n, n, n)
    return Reading(name, n, work, 1, [work.operations / gigaflops * 1e-9] * 3)


def test_rates_are_compared_and_slow_rungs_are_said_to_be_smaller():
    ladder = Ladder("product", "GFLOP/s", [
        product("loops", 64, 0.01), product("NumPy", 512, 50), product("blocked", 512, 20),
        product("compiled", 512, 60),
    ], [])  # fmt: skip
    assert conclusion(ladder) == (
        "product: compiled is 6,000 times as fast as loops. The largest step, 5,000 times, is from "
        "loops to NumPy. Slower than the rung before it: blocked. Measured smaller: loops at 64 by "
        "64."
    )


def test_one_rung_and_none_are_no_error():
    one = Reading("loop", 1_000, relu_work(1_000), 1, [1e-3])
    assert conclusion(Ladder("ReLU", "", [one], [])) == "ReLU: loop is 1 times as fast as loop."
    assert conclusion(Ladder("ReLU", "", [], [])) == "ReLU: nothing could be measured."


def test_a_reader_who_has_written_nothing_sees_the_loops(monkeypatch):
    monkeypatch.setattr(rungs, "_PRODUCT_SIZES", (8,))
    monkeypatch.setattr(rungs, "_LOOP_SIZES", (8,))
    monkeypatch.setattr(rungs, "relu_size", lambda: 5_000)
    ladder, relu = measure_ladder({}, rounds=1)
    assert [r.name for r in relu.readings] == ["Python loop"]
    assert ladder.notes[0].startswith("Not written yet, so left out: matmul_baseline, ")
