"""tito machine and tito trace as they are typed. What they measure is tested with the lab."""

import json

import pytest
from PIL import Image

from tinytorch.core.simd import COMPILING
from tinytorch.lab import loop_orders, machine


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Readings that take no time, kept in a folder of the test's own."""
    monkeypatch.setattr(machine, "cache_folder", lambda: tmp_path / "kept")
    monkeypatch.setattr(machine, "arithmetic_reader", lambda *a, **k: lambda: 50.0)
    monkeypatch.setattr(machine, "memory_reader", lambda *a, **k: lambda: 10.0)
    monkeypatch.setattr(machine, "busy_elsewhere", lambda: None)


def test_machine_prints_facts_and_peaks(tito):
    code, out, err = tito("machine")
    assert code == 0 and err == ""
    assert "float32, 1 thread" in out and "memory, 1 thread" in out and "just now" in out
    assert "kept for a day" in tito("machine")[1]
    assert "just now" in tito("machine", "--fresh")[1]


def test_machine_as_json_is_json_alone(tito, tmp_path):
    code, out, _ = tito("machine", "--json", "--png", tmp_path / "peaks.png")
    told = json.loads(out)
    assert code == 0 and told["memory"]["1"][0] == 10 and told["facts"]["cores"] >= 1
    assert told["float32_operations_per_byte"] == 5
    assert Image.open(tmp_path / "peaks.png").size[0] > 300


def test_trace_shows_the_loops_and_the_blocked_kernel(tito):
    code, out, err = tito("trace")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    assert code == 0 and err == ""
    assert rows["naive"] == ["131,072", "98,048", "33,024", "0", "384", "560"]
    assert rows["ikj"][2] == "4,352" and rows["blocked"][2] == "1,152"
    assert rows["cache_friendly_matmul"][-1] == "192"
    assert "28.7 times fewer than naive" in out


def test_trace_of_one_product_stands_beside_naive(tito):
    code, out, _ = tito("trace", "cache_friendly_matmul", "--size", 20, "--block", 6, "--json")
    told = json.loads(out)
    assert code == 0 and told["size"] == 20 and told["block"] == 6
    assert list(told["kernels"]) == ["naive", "cache_friendly_matmul"]
    assert told["kernels"]["cache_friendly_matmul"]["working_set"] <= 3 * 6**2
    assert set(told["kernels"]["naive"]["by_array"]) == {"A", "B", "C"}


def test_trace_of_a_whole_product_says_that_it_does_not_fit(tito):
    assert "matmul_baseline do not fit" in tito("trace", "matmul_baseline", "--size", 24)[1]


@pytest.mark.parametrize(
    "kernel",
    ["naive", "vectorized_relu", "vectorized_operations", "parallel_relu", "quantized_relu",
     "quantized_matmul", "compiled_relu", "compiled_matmul", "compiled_quantized_matmul",
     "fused_linear_relu"],
)  # fmt: skip
def test_the_other_kernels_are_traced_too(tito, kernel):
    code, out, _ = tito("trace", kernel, "--size", 8, "--block", 4)
    assert code == 0 and kernel in out


@pytest.mark.skipif(not COMPILING, reason="compiles nothing")
def test_a_kernel_of_vector_registers_is_refused(tito):
    code, _, err = tito("trace", "sparse_matmul")
    assert code == 1 and "vector registers" in err and "Traceback" not in err


def test_an_unknown_kernel_is_answered_with_the_known_ones(tito):
    code, _, err = tito("trace", "matmul")
    assert code == 1 and "'matmul'" in err and "cache_friendly_matmul" in err


def test_trace_draws(tito, tmp_path):
    code, out, _ = tito("trace", "blocked", "--size", 16, "--png", tmp_path / "trace.png")
    assert code == 0 and "written to" in out
    assert Image.open(tmp_path / "trace.png").size[0] > 300


@pytest.mark.parametrize("name", ["nowhere/trace.png", "trace.xyz"])
def test_a_picture_that_cannot_be_written_is_one_sentence(tito, tmp_path, name):
    code, _, err = tito("trace", "naive", "--size", 4, "--png", tmp_path / name)
    assert code == 1 and err.startswith("tito: ") and "Traceback" not in err


@pytest.mark.parametrize("words", [["--size", "0"], ["--size", "1000"], ["--block", "0"]])
def test_sizes_out_of_range_are_exit_2(tito, words):
    assert tito("trace", *words)[0] == 2


def test_the_loops_make_products():
    import numpy as np

    A, B = np.arange(15.0).reshape(3, 5), np.arange(20.0).reshape(5, 4)
    for order in (loop_orders.ijk, loop_orders.ikj, loop_orders.blocked):
        np.testing.assert_allclose(order(A, B), A @ B)
    np.testing.assert_allclose(loop_orders.blocked(A, B, 2), A @ B)
    with pytest.raises(ValueError, match="block_size"):
        loop_orders.blocked(A, B, 0)
