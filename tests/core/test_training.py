"""Losses, gradients and the training loop."""

import numpy as np
import pytest

from tinytorch.core.activations import ReLU, Softmax
from tinytorch.core.layers import Dense
from tinytorch.core.networks import Sequential
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import accuracy, backpropagate, cross_entropy, fit


def blobs(samples=90):
    """Three well separated clouds of points in the plane."""
    rng = np.random.default_rng(0)
    y = np.arange(samples) % 3
    centres = np.array([[0, 4], [4, -3], [-4, -3]])
    return (centres[y] + rng.standard_normal((samples, 2))).astype("f4"), y


def network(seed=0, use_bias=True):
    return Sequential(
        [Dense(2, 8, use_bias, rng=seed), ReLU(), Dense(8, 3, use_bias, rng=seed + 1)]
    )


def test_cross_entropy_of_a_uniform_guess_is_log_of_the_classes():
    loss, gradient = cross_entropy(np.zeros((2, 4)), [1, 3])
    assert loss == pytest.approx(np.log(4))
    np.testing.assert_allclose(gradient[0], [0.125, -0.375, 0.125, 0.125])


def test_cross_entropy_does_not_overflow():
    with np.errstate(all="raise"):
        loss, gradient = cross_entropy(np.array([[1e4, -1e4], [1e4, -1e4]]), [0, 1])
    assert loss == pytest.approx(1e4)
    assert gradient.tolist() == [[0.0, 0.0], [0.5, -0.5]]


@pytest.mark.parametrize(
    "logits, labels",
    [
        (np.zeros(3), [0, 1, 2]),
        (np.zeros((0, 3)), np.zeros(0, int)),
        (np.zeros((2, 3)), [0]),
        (np.zeros((2, 3)), [0, 3]),
        (np.zeros((2, 3)), [0, -1]),
        (np.zeros((2, 3)), [0.0, 1.0]),
        (np.zeros((2, 3)), [[0], [1]]),
    ],
)
def test_cross_entropy_refuses_shapes_and_labels_that_do_not_fit(logits, labels):
    with pytest.raises(ValueError, match="must"):
        cross_entropy(logits, labels)


def as_float64(model):
    for parameter in model.parameters():
        parameter.data = parameter.data.astype("f8")
    return model


@pytest.mark.parametrize("use_bias", [True, False])
def test_gradients_agree_with_finite_differences(use_bias):
    x, y = blobs(12)
    model = as_float64(network(use_bias=use_bias))
    backpropagate(model, x.astype("f8"), y)
    gradients = [g for layer in model.layers if isinstance(layer, Dense) for g in layer.gradients]
    h = 1e-6
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        numeric = np.zeros(parameter.shape)
        for index in np.ndindex(parameter.shape):
            value = parameter.data[index]
            losses = []
            for moved in (value + h, value - h):
                parameter.data[index] = moved
                losses.append(cross_entropy(model(x), y)[0])
            parameter.data[index] = value
            numeric[index] = (losses[0] - losses[1]) / (2 * h)
        assert np.abs(numeric).max() > 1e-3
        np.testing.assert_allclose(gradient, numeric, atol=1e-7)


def test_fit_learns_clouds_and_lowers_the_loss():
    x, y = blobs()
    model = network()
    history = fit(model, x, y, epochs=10, batch_size=16, rng=0)
    assert len(history) == 10
    assert history[-1] < history[0] / 2
    assert accuracy(model, x, y) >= 0.95


def test_fit_with_the_same_seed_gives_the_same_network():
    x, y = blobs()
    models = [network(), network()]
    for model in models:
        fit(model, x, y, epochs=2, rng=5)
    for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_a_step_is_momentum_times_a_falling_rate():
    model, x, y = Sequential([Dense.from_arrays(np.zeros((1, 2)))]), np.ones((1, 1)), [0]
    weights, velocity = np.zeros(2), np.zeros(2)
    for rate in (0.4, 0.3, 0.2, 0.1):
        gradient = np.exp(weights) / np.exp(weights).sum() - [1, 0]
        velocity = 0.5 * velocity - rate * gradient
        weights = weights + velocity
    fit(model, x, y, epochs=4, learning_rate=0.4, momentum=0.5)
    np.testing.assert_allclose(model.layers[0].weights.data[0], weights)


def test_fit_keeps_float32_and_leaves_the_data_and_earlier_arrays_alone():
    x, y = blobs()
    model = network()
    copies = x.copy(), y.copy()
    before = [p.data for p in model.parameters()]
    frozen = [p.copy() for p in before]
    fit(model, Tensor(x), Tensor(y), epochs=1, rng=0)
    assert all(p.dtype == np.float32 for p in model.parameters())
    np.testing.assert_array_equal(x, copies[0])
    np.testing.assert_array_equal(y, copies[1])
    for a, b in zip(before, frozen, strict=True):
        np.testing.assert_array_equal(a, b)


def test_weight_decay_shrinks_weights():
    x, y = blobs()
    norms = []
    for decay in (0.0, 1.0):
        model = network()
        fit(model, x, y, epochs=5, weight_decay=decay, rng=0)
        norms.append(np.linalg.norm(model.layers[0].weights.data))
    assert norms[1] < norms[0] / 2


def test_weight_decay_spares_biases():
    x, y = blobs()
    model = Sequential([Dense.from_arrays(np.zeros((2, 3)), np.ones(3))])
    fit(model, np.zeros_like(x), y, epochs=3, learning_rate=0.01, weight_decay=10.0, rng=0)
    # Equal classes pull on none of the biases, so only decay could change their sum.
    assert model.layers[0].bias.data.sum() == pytest.approx(3)


def test_a_diverging_loss_is_reported():
    x, y = blobs()
    with pytest.raises(ValueError, match="lower learning_rate"):
        fit(network(), x, y, epochs=5, learning_rate=1e30, rng=0)


def test_only_dense_and_relu_can_be_trained():
    x, y = blobs()
    with pytest.raises(TypeError, match="Softmax"):
        fit(Sequential([Dense(2, 3), Softmax()]), x, y)


@pytest.mark.parametrize(
    "options",
    [{"epochs": 0}, {"batch_size": 0}, {"learning_rate": -1.0}, {"learning_rate": float("nan")},
     {"momentum": 1.0}, {"weight_decay": -0.1}],
)  # fmt: skip
def test_fit_names_an_option_that_will_not_do(options):
    x, y = blobs()
    with pytest.raises(ValueError, match=next(iter(options))):
        fit(network(), x, y, **options)


@pytest.mark.parametrize(
    "x, y", [(np.ones(2), [0, 1]), (np.ones((0, 2)), []), (np.ones((2, 2)), [0])]
)
def test_fit_refuses_data_that_do_not_fit(x, y):
    with pytest.raises(ValueError, match="must be"):
        fit(network(), x, y)


def test_accuracy_is_the_fraction_of_right_answers():
    logits = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    assert accuracy(lambda x: x, logits, [0, 1, 1, 0]) == 0.75


@pytest.mark.parametrize("y", [[0], [[0, 1]]])
def test_accuracy_needs_one_label_for_each_sample(y):
    with pytest.raises(ValueError, match="2 integers"):
        accuracy(lambda x: x, np.eye(2), y)
