"""The contestants: right results, what is left out and why, which size. No duration is read."""

import types

import numpy as np
import pytest

from tinytorch.core import kernels
from tinytorch.core.tensor import Tensor
from tinytorch.lab import rungs
from tinytorch.lab.byte_model import relu_work


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(rungs, "_PRODUCT_SIZES", (8, 16))
    monkeypatch.setattr(rungs, "_LOOP_SIZES", (8,))
    monkeypatch.setattr(rungs, "relu_size", lambda: 10_000)


def test_the_loops_multiply():
    A, B = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for loops in (rungs.python_loops, rungs.python_loops_ikj):
        assert np.array_equal(loops(A.tolist(), B.tolist()), A @ B)
    assert rungs.python_relu([-1.0, 2.0]) == [0.0, 2.0]


@pytest.mark.parametrize("as_what", [vars, lambda k: k, lambda k: types.SimpleNamespace(**vars(k))])
def test_kernels_come_as_a_dict_a_module_or_a_namespace(small, as_what):
    for make in (rungs.matmul_rungs, rungs.relu_rungs, rungs.sparse_rungs):
        readings, left_out = rungs.measure_rungs(make(as_what(kernels)), rounds=2)
        assert left_out == []
        assert all(len(r.seconds) == 2 and r.speed > 0 for r in readings)


def not_written(*args, **kwargs):
    raise NotImplementedError("vectorized_relu is not written yet")


def breaks(x):
    raise KeyError("x")


@pytest.mark.parametrize(
    ("kernel", "says"),
    [
        (not_written, "Not written yet, so left out: vectorized_relu."),
        (None, "Not written yet, so left out: vectorized_relu."),
        (breaks, "NumPy: left out, KeyError: 'x'."),
        (lambda x: Tensor(np.ones_like(x)), "NumPy: left out, its result is wrong."),
        (lambda x: None, "NumPy: left out, its result has shape (), expected (4096,)."),
        (lambda x: Tensor(x[:2]), "NumPy: left out, its result has shape (2,), expected (4096,)."),
    ],
)
def test_what_is_missing_wrong_or_breaks_is_left_out_with_a_sentence(small, kernel, says):
    found = {**vars(kernels), "vectorized_relu": kernel}
    readings, left_out = rungs.measure_rungs(rungs.relu_rungs(found), rounds=1)
    assert left_out == [says]
    assert "Python loop" in {r.name for r in readings} and "NumPy" not in {r.name for r in readings}


def test_with_nothing_written_the_loops_remain(small):
    readings, left_out = rungs.measure_rungs(rungs.matmul_rungs({}), rounds=1)
    assert [r.name for r in readings] == ["Python loops i-j-k", "Python loops i-k-j"]
    assert left_out == [
        "Not written yet, so left out: matmul_baseline, cache_friendly_matmul, compiled_matmul, "
        "quantized_matmul, compiled_quantized_matmul."
    ]


@pytest.mark.parametrize(("patience", "size"), [(1e9, 400), (-1.0, 4)])
def test_a_contestant_grows_as_long_as_time_allows(monkeypatch, patience, size):
    monkeypatch.setattr(rungs, "_PATIENCE", patience)
    called = []

    def prepare(n):
        return (lambda: called.append(n) or np.zeros(n)), np.zeros(n)

    (reading,), _ = rungs.measure_rungs([rungs.Rung("x", (4, 40, 400), prepare, relu_work)], 1)
    assert reading.size == size == max(called)


def test_workers_are_passed_only_where_they_are_asked_for():
    seen = []
    rungs.with_workers(lambda x, num_workers=None: seen.append(num_workers), 3)(1)
    rungs.with_workers(lambda x: seen.append(x), 3)(1)
    assert seen == [3, 1]


def test_on_one_core_no_rung_comes_twice(small, monkeypatch):
    monkeypatch.setattr(rungs, "cores", lambda: 1)
    for make in (rungs.matmul_rungs, rungs.relu_rungs):
        assert not any("thread" in rung.name for rung in make(kernels))
    monkeypatch.setattr(rungs, "cores", lambda: 11)
    assert any("(11 threads)" in rung.name for rung in rungs.relu_rungs(kernels))


@pytest.mark.parametrize(
    ("caches", "memory", "size"),
    [
        ({}, None, 2**22),
        ({"L1": 2**15, "L3": 2**25}, 2**33, 2**23),
        ({"L3": 2**30}, 2**33, 2**24),
        ({"L3": 2**30}, 2**28, 2**22),
        ({}, 0, 2**22),
    ],
)
def test_relu_is_measured_beyond_the_caches_and_within_the_memory(
    monkeypatch, caches, memory, size
):  # fmt: skip
    monkeypatch.setattr(rungs, "caches", lambda: caches)
    monkeypatch.setattr(rungs, "describe", lambda: {"memory": memory})
    assert rungs.relu_size() == size
