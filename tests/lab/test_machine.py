"""What is said about this computer: shapes and units of the readings, never their size."""

import pytest

from tinytorch.core.simd import COMPILING
from tinytorch.lab.machine import arithmetic_peak, caches, cores, describe, memory_bandwidth


def test_the_machine_is_described_by_name():
    told = describe()
    assert told["cores"] == cores() >= 1
    assert told["versions"]["numpy"] and told["versions"]["numba"]
    assert told["vector_bytes"] in (16, 32, 64) and told["blas"]


def test_a_package_that_is_missing_has_no_version(monkeypatch):
    monkeypatch.setattr("tinytorch.lab.facts._PACKAGES", ("numpy", "no-such-package"))
    assert list(describe()["versions"]) == ["numpy"]


def _cache(folder, index, level, kind, size):
    place = folder / f"index{index}"
    place.mkdir()
    for name, text in (("level", level), ("type", kind), ("size", size)):
        (place / name).write_text(f"{text}\n")


def test_caches_are_bytes_of_data_by_level(tmp_path):
    _cache(tmp_path, 0, 1, "Data", "48K")
    _cache(tmp_path, 1, 1, "Instruction", "64K")
    _cache(tmp_path, 2, 2, "Unified", "2M")
    assert caches(tmp_path) == {"L1": 48 * 1024, "L2": 2 * 2**20}


def test_unknown_caches_are_no_error(tmp_path):
    assert caches(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("threads", [1, 2])
def test_peaks_are_one_positive_figure_per_reading(threads):
    peak = arithmetic_peak(threads, readings=3, steps=2)
    assert len(peak) == (3 if COMPILING else 0) and all(value > 0 for value in peak)
    triad = memory_bandwidth(threads, readings=4, size=1_000)
    assert len(triad) == 4 and all(value > 0 for value in triad)
