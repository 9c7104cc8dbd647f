"""Fits on synthetic times: exact fractions are found again, plateaus are seen, one core is said."""

import pytest

from tinytorch.core import kernels
from tinytorch.lab import scaling


def times(serial, counts, rounds=3, total=1.0, start=0.0):
    return {w: [start + total * (serial + (1 - serial) / w)] * rounds for w in counts}


@pytest.mark.parametrize("serial", [0.0, 0.05, 0.25, 1.0])
@pytest.mark.parametrize("counts", [(1, 2), range(1, 9), (1, 2, 4, 64)])
def test_an_exact_fraction_is_found_again(serial, counts):
    fit = scaling.fit_amdahl(times(serial, counts), most=64)
    assert fit == pytest.approx((serial, serial, serial), abs=1e-12)
    assert fit.speedup(1) == pytest.approx(1)
    assert fit.speedup(4) == pytest.approx(1 / (serial + (1 - serial) / 4))


def test_what_the_pool_takes_is_no_serial_part():
    idle = {w: [0.3, 0.1, 0.2] for w in range(1, 5)}
    fit = scaling.fit_amdahl(times(0.1, range(1, 5), start=0.2), 4, idle)
    assert fit.serial == pytest.approx(0.1)
    assert scaling.fit_amdahl(times(0.1, range(1, 5), start=0.2), 4).serial > 0.2


def test_rounds_that_differ_give_a_spread():
    seconds = {1: [1.0] * 4, 2: [0.5, 0.55, 0.6, 0.65]}  # serial fractions 0, 0.1, 0.2 and 0.3
    fit = scaling.fit_amdahl(seconds, 2)
    assert fit.serial == pytest.approx(0.15) and fit.low < 0.1 and fit.high > 0.2


def test_faster_than_the_number_of_threads_is_no_negative_fraction():
    assert scaling.fit_amdahl({1: [1.0], 2: [0.4]}, 2) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("counts", "most"), [((1, 2), 1), ((1,), 8), ((2, 4), 8)])
def test_no_fit_without_two_counts_of_threads_on_cores_of_their_own(counts, most):
    assert scaling.fit_amdahl(times(0.1, counts), most) is None


def test_no_fit_where_the_pool_takes_all_of_the_time():
    assert scaling.fit_amdahl({1: [1.0], 2: [1.0]}, 2, {1: [1.0], 2: [2.0]}) is None


@pytest.mark.parametrize(
    ("bandwidth", "most", "enough"),
    [
        ({1: 10, 2: 20, 3: 29, 4: 30}, 4, 3),
        ({1: 10, 2: 10, 4: 9}, 4, 1),
        ({1: 10, 2: 20, 4: 40}, 4, None),
        ({1: 10, 2: 20, 4: 40}, 2, None),
        ({1: 10, 2: 10}, 1, None),
    ],
)
def test_the_plateau_is_where_nine_tenths_are_reached(bandwidth, most, enough):
    assert scaling.plateau(bandwidth, most) == enough


@pytest.mark.parametrize(
    ("cores", "counts"),
    [(1, [1, 2]), (2, [1, 2]), (6, [1, 2, 3, 4, 5, 6]), (10, [1, 2, 3, 4, 5, 6, 7, 8, 10])],
)
def test_threads_go_up_to_the_cores_and_at_least_to_two(cores, counts):
    assert scaling.thread_counts(cores) == counts


def test_a_large_machine_is_sampled():
    counts = scaling.thread_counts(96)
    assert counts[-1] == 96 and len(counts) < 24


POOL = {1: [1e-4] * 3, 2: [2e-4] * 3}


def concluded(product, cores=2, relu=None, notes=()):
    found = scaling.Scaling(cores, product, relu or {}, POOL, 8 * 10**9, list(notes))
    return scaling.conclusion(found)


def test_the_conclusion_names_fraction_plateau_and_pool():
    product = times(0.1, (1, 2))
    for w, start in ((1, 1e-4), (2, 2e-4)):
        product[w] = [t + start for t in product[w]]
    text = concluded(product, relu={1: [1.0] * 3, 2: [1.0] * 3})
    assert (
        "Amdahl's serial fraction 10% (middle half of the rounds 10% to 10%): never more " in text
    )
    assert "ReLU: at best 8 GB/s; one thread reaches nine tenths of it" in text
    assert "A pool of 2 takes 200 µs to start and end" in text


def test_a_fraction_that_jumps_from_round_to_round_is_not_believed():
    text = concluded({1: [1.0] * 4, 2: [0.5, 0.6, 0.9, 1.0]})
    assert "too far apart to fit Amdahl's law" in text


def test_no_serial_part_is_said_so():
    assert "no serial part is seen" in concluded({1: [1.0] * 3, 2: [0.5] * 3})


def test_nothing_is_fitted_while_the_cores_are_busy():
    found = scaling.Scaling(2, times(1.0, (1, 2)), times(1.0, (1, 2)), POOL, 8 * 10**9, [], 1.1)
    text = scaling.conclusion(found)
    assert "Product: 1.0 times faster with 2 threads; no fit." in text
    assert "ReLU: at best 8 GB/s.\n" in text


def test_one_core_has_no_fit():
    assert "1.0 times faster with 2 threads; no fit." in concluded({1: [1.0], 2: [1.0]}, cores=1)


@pytest.mark.parametrize(
    ("peaks", "cores", "busy"),
    [({1: [50, 100], 2: [110]}, 2, 1.1), ({1: [100], 2: [180]}, 2, None), ({1: []}, 1, None),
     ({1: [], 2: []}, 2, None)],
)  # fmt: skip
def test_cores_that_something_else_uses_are_seen(monkeypatch, peaks, cores, busy):
    monkeypatch.setattr(scaling, "arithmetic_peak", lambda threads, readings: peaks[threads])
    assert scaling._busy_cores(cores) == (busy if busy is None else pytest.approx(busy))


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_products_relu_and_pool_are_measured(monkeypatch, cores):
    monkeypatch.setattr(scaling, "cores", lambda: cores)
    monkeypatch.setattr(scaling, "relu_size", lambda: 80_000)
    found = scaling.measure_scaling(kernels, n=32, rounds=2)
    counts = list(range(1, max(2, cores) + 1))
    for measured in (found.product, found.relu, found.pool):
        assert list(measured) == counts and all(len(t) == 2 for t in measured.values())
    assert any(note.startswith("One core") for note in found.notes) == (cores == 1)
    assert scaling.conclusion(found)


def test_missing_and_wrong_kernels_are_left_out(monkeypatch):
    monkeypatch.setattr(scaling, "relu_size", lambda: 1_000)
    found = scaling.measure_scaling({"parallel_relu": lambda x, num_workers: x}, n=8, rounds=1)
    assert (found.product, found.relu, found.pool) == ({}, {}, {})
    assert "product: left out, matmul_baseline is not written yet." in found.notes
    assert "relu: left out, its result is wrong." in found.notes
    assert "pool: left out" in scaling.conclusion(found)


@pytest.mark.parametrize(("value", "said"), [("1", False), ("4", True), (None, True)])
def test_threads_of_blas_are_mentioned_unless_there_is_one(monkeypatch, value, said):
    monkeypatch.setattr(scaling, "blas_threads", lambda: value and int(value))
    monkeypatch.setattr(scaling, "relu_size", lambda: 1_000)
    notes = scaling.measure_scaling({}, n=8, rounds=1).notes
    assert any("BLAS may use threads of its own" in note for note in notes) == said
