"""The shipped digits, the shipped network, and the scripts that made them."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinytorch.data
from tinytorch.core.compression import (
    prune_network,
    quantize,
    quantize_network,
    sparsity,
)
from tinytorch.core.layers import Dense
from tinytorch.core.networks import Sequential
from tinytorch.core.training import accuracy
from tinytorch.data import digits_model, load_digits, make_digits, train_digits

FOLDER = Path(tinytorch.data.__file__).parent


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def int8_network(layers):
    """The quantized network as a function, its products exact in int64."""

    def run(x):
        for layer in layers:
            total = quantize(x, layer.input_scale).astype(np.int64) @ layer.weight.astype(np.int64)
            x = total * (layer.input_scale * layer.weight_scale) + layer.bias
            x = np.maximum(x, 0) if layer.relu else x
        return x

    return run


def test_shapes_and_dtypes(digits):
    assert digits.x_train.shape == (1438, 64)
    assert digits.x_test.shape == (359, 64)
    assert (digits.y_train.shape, digits.y_test.shape) == ((1438,), (359,))
    assert digits.x_train.dtype == digits.x_test.dtype == np.float32
    assert digits.y_train.dtype == digits.y_test.dtype == np.int64


def test_pixels_are_sixteenths_from_0_to_1(digits):
    x = np.concatenate([digits.x_train, digits.x_test]) * 16
    assert (x.min(), x.max()) == (0, 16)
    np.testing.assert_array_equal(x, np.round(x))


def test_a_fifth_of_every_class_is_held_out(digits):
    held_out = np.bincount(digits.y_test, minlength=10)
    everything = held_out + np.bincount(digits.y_train, minlength=10)
    assert (np.abs(held_out - everything / 5) <= 1).all()


def test_no_held_out_image_is_trained_on(digits):
    assert not {x.tobytes() for x in digits.x_test} & {x.tobytes() for x in digits.x_train}


def test_every_call_returns_arrays_of_its_own(digits):
    load_digits().x_test[:] = 7
    assert load_digits().x_test.max() == 1
    assert not np.shares_memory(load_digits().y_test, digits.y_test)


def test_the_shipped_files_are_small():
    assert (FOLDER / "digits_model.npz").stat().st_size < 150_000
    assert (FOLDER / "digits.npz").stat().st_size < 150_000


def test_the_shipped_network_reads_97_percent_of_the_held_out_images(digits):
    assert accuracy(digits_model(), digits.x_test, digits.y_test) >= 0.97


def test_the_network_is_the_one_described():
    shapes = [layer.weights.shape for layer in digits_model().layers if isinstance(layer, Dense)]
    assert shapes == [(64, 128), (128, 64), (64, 10)]


def test_int8_loses_at_most_half_a_point(digits):
    model = digits_model()
    layers = quantize_network(model, digits.x_train)
    exact = accuracy(model, digits.x_test, digits.y_test)
    assert accuracy(int8_network(layers), digits.x_test, digits.y_test) >= exact - 0.005


def test_int8_takes_less_than_a_third_of_the_bytes(digits):
    model = digits_model()
    small = sum(layer.nbytes for layer in quantize_network(model, digits.x_train))
    assert small < sum(p.nbytes for p in model.parameters()) / 3


def test_three_weights_in_ten_can_be_pruned_for_one_point(digits):
    model = digits_model()
    pruned = prune_network(model, 0.3)
    assert all(sparsity(p) >= 0.2999 for p in pruned.parameters() if p.ndim == 2)
    exact = accuracy(model, digits.x_test, digits.y_test)
    assert accuracy(pruned, digits.x_test, digits.y_test) >= exact - 0.01


def test_make_digits_writes_the_shipped_arrays(tmp_path, capsys):
    pytest.importorskip("sklearn")
    out = tmp_path / "digits.npz"
    make_digits.main(["--out", str(out)])
    # Array by array: the zip around them differs between patch releases of Python.
    with np.load(out) as made, np.load(FOLDER / "digits.npz") as shipped:
        assert made.files == shipped.files
        for name in shipped.files:
            assert made[name].dtype == shipped[name].dtype
            assert np.array_equal(made[name], shipped[name])
    assert "359 of them held out" in capsys.readouterr().out


def test_train_digits_reproduces_the_network(tmp_path, digits):
    out = tmp_path / "model.npz"
    command = [sys.executable, "-W", "error", "-m", "tinytorch.data.train_digits", "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    reached = accuracy(Sequential.load(out), digits.x_test, digits.y_test)
    assert reached >= 0.97
    assert re.search(rf"model\.npz: {reached:.4f} of 359", done.stdout)
    assert done.stderr == ""


@pytest.mark.parametrize("script", [make_digits, train_digits])
def test_a_path_that_cannot_be_written_is_named(script, tmp_path, capsys, monkeypatch):
    if script is make_digits:
        pytest.importorskip("sklearn")
    monkeypatch.setattr(train_digits, "train", lambda: Sequential([]))
    with pytest.raises(SystemExit) as error:
        script.main(["--out", str(tmp_path / "nowhere" / "out.npz")])
    assert error.value.code == 1
    assert "nowhere" in capsys.readouterr().err


def test_shifted_images_move_by_one_pixel_and_keep_their_label():
    image = np.zeros((1, 8, 8), "f4")
    image[0, 3, 4] = 1
    x, y = train_digits.with_shifts(image.reshape(1, 64), np.array([7]))
    lit = [tuple(map(int, np.argwhere(each.reshape(8, 8))[0])) for each in x]
    assert lit == [(3, 4), (4, 4), (2, 4), (3, 5), (3, 3)]
    assert y.tolist() == [7] * 5
