"""The digits on the exported kernels: accuracy, bytes, and the picture."""

from types import SimpleNamespace

import matplotlib
import numpy as np

import tinytorch.core.kernels as kernels
from tinytorch.core.tensor import Tensor
from tinytorch.data import load_digits
from tinytorch.lab.digits_run import compare_digits, run_digits

matplotlib.use("agg")


def test_every_way_reads_the_digits_and_int8_loses_at_most_half_a_point():
    rows, predictions = compare_digits(kernels, rounds=2)
    assert [row.name for row in rows] == ["baseline", "blocked", "parallel", "int8 per channel"]
    assert all(row.accuracy >= 0.97 for row in rows)
    assert rows[0].accuracy - rows[-1].accuracy <= 0.005
    assert rows[-1].nbytes * 3 < rows[0].nbytes
    assert predictions.shape == load_digits().y_test.shape


def test_a_wrong_kernel_shows_in_the_accuracy():
    names = ("matmul_baseline", "vectorized_relu", "cache_friendly_matmul",
             "parallel_batch_processing", "quantized_matmul")  # fmt: skip
    mine = SimpleNamespace(**{name: getattr(kernels, name) for name in names})
    mine.cache_friendly_matmul = lambda A, B: Tensor(np.zeros((len(A), B.shape[1]), np.float32))
    rows, _ = compare_digits(mine, rounds=2)
    assert rows[1].accuracy < 0.5 < rows[0].accuracy


def test_the_table_and_the_picture_are_made(tmp_path):
    text = run_digits(kernels, tmp_path / "digits.png")
    assert text.splitlines()[0].split() == ["kernels", "accuracy", "bytes", "time", "per", "image"]
    assert "int8" in text.splitlines()[-1]
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
