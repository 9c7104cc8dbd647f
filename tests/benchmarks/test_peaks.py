"""The verdict on the lab's peaks; what was read is given. Nothing is timed here."""

import numpy as np
import pytest

from benchmarks import machine


@pytest.mark.parametrize(("peak", "fine"), [(91, True), (109, True), (85, False), (120, False)])
def test_a_peak_is_compared_with_the_best_of_the_others(capsys, peak, fine):
    found = {"peak": [peak, 50.0], "`@` 512": [80.0, 70.0], "`@` 1024": [100.0, 90.0]}
    assert machine._told("arithmetic", found, 0.1) is fine
    out = capsys.readouterr().out
    assert f"peak / `@` 1024: {peak / 100:.3f}" in out and ("MISSED" in out) is not fine


def test_what_cannot_be_compared_is_said(capsys):
    assert machine._told("arithmetic", None, 0.1) and machine._told("memory", {"peak": [1.0]}, 0.1)
    out = capsys.readouterr().out
    assert "compiles nothing" in out and "nobody to compare with" in out


@pytest.mark.parametrize("threads", [1, 2])
def test_the_other_triads_make_the_triad(threads):
    triads = machine._other_triads(threads, 1001)
    assert all(read() > 0 for read in triads.values())
    assert triads or threads > 1


def test_a_computer_without_compiler_and_numexpr_has_numpy(monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    monkeypatch.setattr(machine, "find", lambda name: None)
    assert list(machine._other_triads(1, 64)) == ["NumPy"] and machine._other_triads(2, 64) == {}


def test_a_compiler_that_fails_is_as_good_as_none(monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda name: "/bin/false")
    assert machine._c_triad(1, *np.ones((3, 8), np.float32)) is None
