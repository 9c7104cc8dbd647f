"""Which roof limits made-up points, and what is said where a roof is missing."""

import pytest

from tinytorch.core import kernels
from tinytorch.core.simd import COMPILING
from tinytorch.lab import roofline as roof
from tinytorch.lab import rungs
from tinytorch.lab.byte_model import Work, product_work, relu_work

# 100 GFLOP/s and 10 GB/s meet at 10 operations per byte.
ROOFS = roof.Roofs(1, arithmetic=100.0, memory=10.0, integer=300.0)
COSTS = roof.Costs(loop_step=20e-9, page_byte=0.0)


def reading(intensity, gigaflops, *, kind="float32", result=0.0, threads=1, name="x"):
    work = Work(intensity * 1e6, 1e6, result, "", kind)
    return rungs.Reading(name, 1, work, threads, [work.operations / gigaflops * 1e-9])


@pytest.mark.parametrize(
    ("point", "limit", "share"),
    [
        (reading(0.125, 1.0), "memory roof", 0.8),
        (reading(9, 60), "memory roof", 60 / 90),
        (reading(11, 60), "arithmetic roof", 0.6),
        (reading(170, 90), "arithmetic roof", 0.9),
        (reading(170, 200, kind="int8"), "arithmetic roof", 200 / 300),
        (reading(170, 90, kind="int8"), "neither: calls and other instructions", 0.3),
        (reading(170, 20), "neither: calls and other instructions", 0.2),
        (reading(1.3, 0.03), "neither: the interpreter", 0.03 / 13),
        (reading(0.125, 0.3), "neither: calls and other instructions", 0.24),
    ],
)
def test_the_limit_of_a_point(point, limit, share):
    assert roof.limit_of(point, ROOFS, COSTS) == (limit, pytest.approx(share))


def test_new_pages_are_the_limit_where_only_they_keep_a_kernel_from_its_roof():
    # 1 MB at 10 GB/s takes 100 µs; 250 µs is 40 % of the roof, and 60 µs less is 53 %.
    point = reading(0.125, 0.5, result=4e5)
    assert roof.limit_of(point, ROOFS, COSTS)[0] == "neither: calls and other instructions"
    costs = COSTS._replace(page_byte=60e-6 / 4e5)
    assert roof.limit_of(point, ROOFS, costs) == ("neither: new pages", pytest.approx(0.4))


def test_a_small_result_gets_used_memory_and_no_new_pages():
    costs = COSTS._replace(page_byte=60e-6 / 4e5, page_array=1e6)
    point = reading(0.125, 0.5, result=4e5)
    assert roof.limit_of(point, ROOFS, costs)[0] == "neither: calls and other instructions"


def test_int8_without_a_roof_of_its_own_is_judged_by_float32s():
    roofs = ROOFS._replace(integer=None)
    assert roof.limit_of(reading(170, 60, kind="int8"), roofs, COSTS)[1] == pytest.approx(0.6)


def test_points_are_judged_by_the_roof_of_their_threads():
    four = roof.Roofs(4, 400.0, 20.0)
    one, all_, more = roof.points_under(
        [reading(170, 90), reading(170, 90, threads=4), reading(170, 90, threads=9)],
        [ROOFS, four], COSTS,
    )  # fmt: skip
    assert one.share == pytest.approx(0.9)
    assert all_.share == more.share == pytest.approx(0.225)


def test_the_conclusion_is_computed_from_the_points():
    readings = [
        reading(170, 90, name="fast"),
        reading(170, 80, name="fast (2 threads)"),
        reading(0.125, 1, name="relu"),
        reading(1, 0.01, name="loops"),
        reading(170, 20, name="tiles"),
    ]
    points = roof.points_under(readings, [ROOFS], COSTS)
    assert roof.conclusion(roof.Roofline([ROOFS], points, [])) == (
        "One thread: 100 GFLOP/s and 10 GB/s; they meet at 10 operations per byte. "
        "The arithmetic roof limits fast. The memory roof limits relu. "
        "Below both for the interpreter: loops, by up to 1,000 times. "
        "Below both for calls and other instructions: tiles, by up to 5.0 times."
    )


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(rungs, "_PRODUCT_SIZES", (8, 16))
    monkeypatch.setattr(rungs, "_LOOP_SIZES", (8,))
    monkeypatch.setattr(rungs, "relu_size", lambda: 10_000)
    monkeypatch.setattr(roof, "relu_size", lambda: 10_000)
    monkeypatch.setattr(roof, "memory_bandwidth", lambda threads: [1.0, 2.0])
    monkeypatch.setattr(roof, "arithmetic_peak", lambda threads: [3.0, 30.0])
    monkeypatch.setattr(roof, "integer_peak", lambda threads: [50.0])


@pytest.mark.parametrize("cores", [1, 2])
def test_every_kernel_becomes_a_point(small, monkeypatch, cores):
    monkeypatch.setattr(roof, "COMPILING", True)  # the roofs are made up
    for module in (roof, rungs):
        monkeypatch.setattr(module, "cores", lambda: cores)
    found = roof.measure_roofline(kernels, rounds=1)
    names = {point.name for point in found.points}
    assert {"NumPy", "blocked (64)", "compiled", "int8 compiled", "ReLU NumPy",
            "sparse (10 % left)", "Python loops i-j-k"} <= names  # fmt: skip
    assert [r.threads for r in found.roofs] == list(range(1, cores + 1))
    assert ("One core: there is no second roof for more threads." in found.notes) == (cores == 1)
    assert len(found.byte_models().splitlines()) == 1 + len(found.points)


def test_without_a_compiler_the_notes_say_so(small, monkeypatch):
    monkeypatch.setattr(roof, "COMPILING", False)
    found = roof.measure_roofline({}, rounds=1)
    (only,) = found.roofs
    assert only.arithmetic > 0 and only.memory > 0 and only.integer is None
    assert any("Numba does not compile here" in note for note in found.notes)
    assert roof.conclusion(found).startswith("One thread: ")


@pytest.mark.skipif(not COMPILING, reason="Numba does not compile")
@pytest.mark.parametrize("threads", [1, 2])
def test_the_integer_roof_is_one_figure_per_reading(threads):
    peak = roof.integer_peak(threads, readings=3, steps=2)
    assert len(peak) == 3 and all(value > 0 for value in peak)


def test_costs_are_seconds_and_never_negative(small):
    costs = roof.measure_costs(steps=100)
    assert costs.loop_step > 0 and costs.page_byte >= 0


def test_works_with_the_real_byte_models():
    assert ROOFS.allowed(relu_work(100)) == 1.25
    assert ROOFS.allowed(product_work(600, 600, 600)) == 100
