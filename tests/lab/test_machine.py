"""What is said about this computer: shapes and units of the readings, never their size."""

import json
import os

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from tinytorch.core.simd import COMPILING
from tinytorch.lab import facts, machine, peaks
from tinytorch.lab.machine import (
    Report,
    arithmetic_peak,
    caches,
    cores,
    describe,
    machine_report,
    memory_bandwidth,
)
from tinytorch.lab.machine_plots import conclusion, draw_machine
from tinytorch.lab.peaks import peak_of

NOWHERE = {"cpu": None, "caches": {}, "cache_details": [], "memory": None, "blas_threads": None}


@pytest.fixture
def measured(monkeypatch):
    """Counts the measurements, which are replaced by fixed readings; a computer of two cores."""
    counted = []

    def arithmetic(threads=1, steps=0, dtype=np.float32):
        counted.append(threads)
        return lambda: 50.0 * threads

    monkeypatch.setattr(machine, "COMPILING", True)
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr(machine, "arithmetic_reader", arithmetic)
    monkeypatch.setattr(machine, "memory_reader", lambda threads=1, **_: lambda: 10.0 + 2 * threads)
    monkeypatch.setattr(machine, "busy_elsewhere", lambda: None)
    return counted


def the_file(folder):
    (path,) = folder.glob("*")
    return path


def test_the_machine_is_described_by_name():
    told = describe()
    assert told["cores"] == cores() >= 1
    assert told["versions"]["numpy"] and told["versions"]["numba"]
    assert told["vector_bytes"] in (16, 32, 64) and told["blas"]
    assert told["caches"] == {f"L{c['level']}": c["size"] for c in told["cache_details"]}
    assert json.loads(json.dumps(told)) == told


def test_a_package_that_is_missing_has_no_version(monkeypatch):
    monkeypatch.setattr(facts, "_PACKAGES", ("numpy", "no-such-package"))
    assert list(describe()["versions"]) == ["numpy"]


def test_caches_are_bytes_of_data_by_level(tmp_path):
    for index, (level, size) in enumerate([(1, "48K"), (2, "2M")]):
        place = tmp_path / f"index{index}"
        place.mkdir()
        for name, text in (("level", level), ("type", "Unified"), ("size", size)):
            (place / name).write_text(f"{text}\n")
    assert caches(tmp_path) == {"L1": 48 * 1024, "L2": 2 * 2**20}
    assert caches(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("threads", [1, 2])
def test_peaks_are_one_positive_figure_per_reading(threads):
    for dtype in (np.float32, np.float64):
        peak = arithmetic_peak(threads, readings=3, steps=2, dtype=dtype)
        assert len(peak) == (3 if COMPILING else 0) and all(value > 0 for value in peak)
    triad = memory_bandwidth(threads, readings=4, size=1_000)
    assert len(triad) == 4 and all(value > 0 for value in triad)


def test_both_triads_make_the_triad():
    B, C = np.random.default_rng(0).standard_normal((2, 40_000)).astype(np.float32)
    for triad in (peaks._triad, peaks._triad_by_numpy):
        A = np.zeros_like(B)
        triad(A, B, C)
        np.testing.assert_allclose(A, B + 3 * C, rtol=1e-5, atol=1e-6)


def test_without_a_compiler_the_triad_remains(monkeypatch):
    monkeypatch.setattr(peaks, "COMPILING", False)
    assert arithmetic_peak() == []
    assert len(memory_bandwidth(2, readings=2, size=100_000)) == 2


def test_the_triad_takes_an_eighth_of_the_free_memory_at_most(monkeypatch):
    monkeypatch.setattr(peaks, "memory_to_spare", lambda: 12_000)
    assert peaks.triad_size() == 1_000
    monkeypatch.setattr(peaks, "memory_to_spare", lambda: 2**40)
    monkeypatch.setattr(peaks, "caches", dict)
    assert peaks.triad_size() == 16 * 2**20
    monkeypatch.setattr(peaks, "caches", lambda: {"L1": 2**15, "L3": 2**26})
    assert peaks.triad_size() == 32 * 2**20
    monkeypatch.setattr(peaks, "caches", lambda: {"L3": 2**40})
    assert peaks.triad_size() == 64 * 2**20


def test_readers_of_one_machine_share_the_triads_arrays(monkeypatch):
    made = []
    monkeypatch.setattr(peaks, "triad_arrays", lambda size: made.append(size))
    arrays = (np.zeros(1_000, np.float32), np.ones(1_000, np.float32), np.ones(1_000, np.float32))
    assert [peaks.memory_reader(n, arrays=arrays)() > 0 for n in (1, 2)] == [True, True]
    assert not made and (arrays[0] == 4).all()


def test_memory_that_is_refused_makes_the_triad_smaller(monkeypatch):
    full = np.full

    def refuse(size, value, dtype):
        if size > 5_000:
            raise MemoryError
        return full(size, value, dtype)

    monkeypatch.setattr(peaks.np, "full", refuse)
    assert [x.size for x in peaks.triad_arrays(16_000)] == [4_000] * 3
    assert len(memory_bandwidth(readings=2, size=16_000)) == 2


def test_a_peak_is_the_best_and_the_quartiles():
    assert peak_of([1.0, 2.0, 3.0, 4.0, 5.0]) == (5, 1.5, 3, 4.5, 5)
    assert peak_of([2.0]) == (2, 2, 2, 2, 1)
    assert peak_of([]) is None


def test_a_report_has_every_peak_and_says_so(measured, tmp_path):
    report = machine_report(folder=tmp_path)
    assert list(report.arithmetic) == ["float32", "float64"]
    assert list(report.arithmetic["float32"]) == list(report.memory) == [1, 2]
    assert report.gflops() == 100 and report.gflops("float64", 1) == 50
    assert report.gb_per_second() == 14 and report.gb_per_second(1) == 12
    assert report.balance() == pytest.approx(100 / 14)
    said = "\n".join(report.lines())
    for part in ("float32, 1 thread", "float64, 2 threads", "memory, 2 threads", "GB/s", "BLAS"):
        assert part in said


def test_a_report_is_kept(measured, tmp_path):
    first = machine_report(folder=tmp_path)
    count = len(measured)
    again = machine_report(folder=tmp_path)
    assert len(measured) == count and again.kept and not first.kept
    assert again.arithmetic == first.arithmetic and again.memory == first.memory
    assert [path.name[:8] for path in tmp_path.iterdir()] == ["machine-"]
    assert not machine_report(fresh=True, folder=tmp_path).kept and len(measured) > count


@pytest.mark.parametrize(
    ("disturbed", "minutes", "kept"), [(0, 23 * 60, True), (0, 25 * 60, False), (1, 9, True),
                                       (1, 11, False), (0, -5, False)]
)  # fmt: skip
def test_a_report_is_kept_for_a_day_a_disturbed_one_for_ten_minutes(
    measured, tmp_path, disturbed, minutes, kept
):
    machine_report(folder=tmp_path)
    path = the_file(tmp_path)
    told = json.loads(path.read_text())
    told["measured_at"] -= 60 * minutes
    told["disturbed"] = disturbed
    path.write_text(json.dumps(told))
    assert machine_report(folder=tmp_path).kept is kept


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '{"key": 1}', "\x00", "[" * 100_000, '{"key": NaN}'],
)
def test_what_is_no_report_is_measured_again(measured, tmp_path, text):
    machine_report(folder=tmp_path)
    path = the_file(tmp_path)
    path.write_text(text)
    assert not machine_report(folder=tmp_path).kept
    assert machine_report(folder=tmp_path).kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory", {"1": [1.0]}),
        ("memory", {"1": [1.0], "2": []}),
        ("memory", {"1": [1.0], "2": ["x"]}),
        ("memory", {"1": [1.0], "2": [float("nan")]}),
        ("memory", [1.0]),
        ("arithmetic", {"float32": {"1": [1.0], "2": [-1.0]}}),
        ("arithmetic", None),
        ("seconds", None),
        ("key", {"schema": 0}),
    ],
)
def test_a_damaged_or_foreign_report_is_measured_again(measured, tmp_path, name, value):
    machine_report(folder=tmp_path)
    path = the_file(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    assert not machine_report(folder=tmp_path).kept


def test_another_processor_or_version_has_a_file_of_its_own(measured, monkeypatch, tmp_path):
    machine_report(folder=tmp_path)
    told = describe()
    monkeypatch.setattr(machine, "describe", lambda: told | {"cpu": "another"})
    assert not machine_report(folder=tmp_path).kept
    assert len(list(tmp_path.iterdir())) == 2


def test_where_nothing_can_be_written_it_is_measured_each_time(measured, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        assert not machine_report(folder=folder).kept
        assert not machine_report(folder=folder).kept


def test_a_file_that_cannot_be_finished_leaves_nothing(measured, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert machine_report(folder=tmp_path).memory
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows"])
def test_reports_lie_in_the_users_own_cache_folder(monkeypatch, system, tmp_path):
    monkeypatch.setattr(machine.platform, "system", lambda: system)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(machine.Path, "home", lambda: tmp_path)
    folder = machine.cache_folder()
    assert folder.name == "tinytorch" and folder.is_relative_to(tmp_path)


def test_without_a_home_nothing_is_kept(measured, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(machine.Path, "home", homeless)
    assert machine.cache_folder() is None
    assert not machine_report().kept


def test_one_core_without_caches_or_compiler_is_told_plainly(measured, monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "cores", lambda: 1)
    monkeypatch.setattr(machine, "COMPILING", False)
    monkeypatch.setattr(machine, "arithmetic_reader", lambda *a, **k: None)
    told = describe() | NOWHERE | {"cores": 1}
    monkeypatch.setattr(machine, "describe", lambda: told)
    machine_report(folder=tmp_path)
    report = machine_report(folder=tmp_path)
    assert report.kept and report.gflops() is None and report.balance() is None
    said = "\n".join(report.lines())
    assert "caches       unknown" in said and "memory       unknown" in said
    assert "compiles nothing" in said and "threads unknown" in said


def _report(**changes):
    arithmetic = {"float32": {1: [90.0, 80.0], 2: [160.0]}, "float64": {1: [45.0], 2: [80.0]}}
    values = {"facts": {}, "arithmetic": arithmetic, "memory": {1: [20.0], 2: [32.0]},
              "measured_at": 0.0, "seconds": 1.0} | changes  # fmt: skip
    return Report(**values)


def test_the_pictures_caption_is_computed(capsys):
    draw_machine(_report(), guess=3)
    said = capsys.readouterr().out
    assert "as long as 5 float32 operations" in said and "You guessed 3." in said
    assert "the arithmetic 1.8 times and the bandwidth 1.6 times that of one" in said
    assert "higher" not in said
    assert "the peaks may be higher" in " ".join(conclusion(_report(disturbed=1.0)))
    assert not plt.get_fignums()


def test_a_picture_without_arithmetic_or_a_second_core(tmp_path):
    nothing = {dtype: {1: []} for dtype in ("float32", "float64")}
    report = _report(arithmetic=nothing, memory={1: [20.0]})
    draw_machine(report, guess=3, png=tmp_path / "peaks.png")
    with Image.open(tmp_path / "peaks.png") as picture:
        assert picture.size[0] > 300
    assert "compiles nothing" in " ".join(conclusion(report))


def test_a_guess_that_is_none_is_answered(capsys):
    draw_machine(_report(), guess="many")
    assert "write a positive number" in capsys.readouterr().out
