"""Pruning and quantization of whole networks."""

import dataclasses

import numpy as np
import pytest

from tinytorch.core import compression
from tinytorch.core.activations import ReLU, Softmax
from tinytorch.core.layers import Dense
from tinytorch.core.networks import Sequential


@pytest.fixture
def model():
    return Sequential([Dense(6, 5, rng=0), ReLU(), Dense(5, 4, use_bias=False, rng=1)])


@pytest.fixture
def batch():
    return np.random.default_rng(2).standard_normal((50, 6)).astype("f4")


def test_prune_network_prunes_every_dense_layer(model):
    pruned = compression.prune_network(model, 0.5)
    assert [compression.sparsity(pruned.layers[i].weights) for i in (0, 2)] == [0.5, 0.5]
    for i in (0, 2):
        expected = compression.prune_magnitude(model.layers[i].weights, 0.5)
        np.testing.assert_array_equal(pruned.layers[i].weights.data, expected)
    assert pruned.layers[2].bias is None


def test_prune_network_leaves_the_original_alone(model):
    before = [p.data.copy() for p in model.parameters()]
    pruned = compression.prune_network(model, 1.0)
    for parameter in pruned.parameters():
        parameter.data[...] = 7
    for parameter, kept in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.data, kept)


def test_a_quantized_layer_holds_int8_weights_and_their_scales(model, batch):
    first, second = compression.quantize_network(model, batch)
    weights = model.layers[0].weights.data
    assert first.weight.dtype == np.int8
    assert first.weight_scale.dtype == first.bias.dtype == np.float32
    assert (first.weight.shape, first.weight_scale.shape, first.bias.shape) == ((6, 5), (5,), (5,))
    assert (np.abs(first.weight).max(axis=0) == 127).all()
    error = np.abs(first.weight * first.weight_scale - weights)
    assert (error <= first.weight_scale * 0.5001).all()
    assert (first.relu, second.relu) == (True, False)
    assert second.bias.tolist() == [0.0] * 4


def test_input_scales_come_from_the_calibration_batch(model, batch):
    first, second = compression.quantize_network(model, batch)
    hidden = model.layers[1](model.layers[0](batch)).data
    assert first.input_scale == np.abs(batch).max() / 127
    assert second.input_scale == pytest.approx(hidden.max() / 127)


def test_nbytes_counts_weights_scales_and_bias(model, batch):
    layer = compression.quantize_network(model, batch)[0]
    assert layer.nbytes == 6 * 5 + 4 * 5 + 4 * 5 + 4


def test_a_quantized_layer_cannot_be_reassigned(model, batch):
    layer = compression.quantize_network(model, batch)[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.input_scale = 1.0


def test_an_empty_calibration_batch_is_refused(model):
    with pytest.raises(ValueError, match=r"\(0, 6\)"):
        compression.quantize_network(model, np.zeros((0, 6)))


def test_a_calibration_batch_of_another_width_names_the_shapes(model):
    with pytest.raises(ValueError, match=r"\(2, 7\) and \(6, 5\)"):
        compression.quantize_network(model, np.ones((2, 7)))


def test_a_calibration_batch_with_nan_is_refused(model):
    with pytest.raises(ValueError, match="finite"):
        compression.quantize_network(model, np.full((2, 6), np.nan))


def test_other_layers_cannot_be_quantized(batch):
    with pytest.raises(ValueError, match="Softmax"):
        compression.quantize_network(Sequential([Dense(6, 2), Softmax()]), batch)
