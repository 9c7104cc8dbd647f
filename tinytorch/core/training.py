"""Training by backpropagation, for networks of Dense and ReLU layers.

Plain loops, so that every step can be read; there is no autograd. The networks themselves are
in ``tinytorch.core.networks``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinytorch.core.activations import ReLU, softmax
from tinytorch.core.layers import Dense
from tinytorch.core.networks import Sequential
from tinytorch.core.tensor import ArrayLike, as_array, positive_int


def cross_entropy(logits: ArrayLike, labels: ArrayLike) -> tuple[float, np.ndarray]:
    """Mean cross-entropy of softmax(logits), in nats, and its gradient.

    logits: (batch, classes), before any softmax.
    labels: (batch,) integers from 0 to classes - 1.
    Returns the loss and the gradient for the logits, (softmax(logits) - onehot(labels)) / batch.
    Raises ValueError for shapes or labels that do not fit.
    """
    scores = as_array(logits)
    if scores.ndim != 2 or not len(scores):
        raise ValueError(f"logits must be (batch, classes) and not empty, got {scores.shape}")
    targets = _labels(labels, len(scores))
    if targets.min() < 0 or targets.max() >= scores.shape[1]:
        raise ValueError(
            f"labels must lie in 0..{scores.shape[1] - 1}, got {targets.min()}..{targets.max()}"
        )
    rows = np.arange(len(scores))
    # log softmax from the shifted logits: the logarithm of a rounded softmax could be log(0).
    shifted = scores - scores.max(axis=1, keepdims=True)
    with np.errstate(under="ignore"):
        losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, targets]
    gradient = softmax(scores).data
    gradient[rows, targets] -= 1
    return float(losses.mean()), gradient / len(scores)


def backpropagate(model: Sequential, x: np.ndarray, labels: np.ndarray) -> float:
    """One forward and one backward pass; returns the mean cross-entropy of the batch.

    Leaves each Dense layer's gradients in its `gradients`.
    Raises TypeError for a layer other than Dense and ReLU.
    """
    layers = [layer for layer in model.layers if isinstance(layer, Dense | ReLU)]
    if len(layers) != len(model.layers):
        others = sorted({type(layer).__name__ for layer in model.layers} - {"Dense", "ReLU"})
        raise TypeError(f"only Dense and ReLU layers can be trained, got {', '.join(others)}")
    for layer in layers:
        x = layer.forward(x)
    loss, gradient = cross_entropy(x, labels)
    for layer in reversed(layers):
        gradient = layer.backward(gradient)
    return loss


@np.errstate(over="ignore", invalid="ignore")  # a diverging loss is reported once, by name
def fit(
    model: Sequential,
    x: ArrayLike,
    y: ArrayLike,
    *,
    epochs: int = 20,
    batch_size: int = 32,
    learning_rate: float = 0.1,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    rng: np.random.Generator | int | None = None,
) -> list[float]:
    """Train `model` in place on x (samples, features) and integer labels y (samples,).

    Stochastic gradient descent with momentum (Polyak 1964) on the mean cross-entropy of shuffled
    batches; the step size falls linearly from `learning_rate` to zero over the epochs.
    weight_decay: adds weight_decay * w to the gradient of each weight matrix w (not of biases).
    rng: numpy Generator or seed for the shuffling.
    Returns each epoch's mean training loss.
    Raises ValueError for arguments that do not fit together or a loss that is no longer finite.
    """
    epochs, batch_size = positive_int("epochs", epochs), positive_int("batch_size", batch_size)
    for name, value, low, high in (
        ("learning_rate", learning_rate, 0, np.inf),
        ("momentum", momentum, 0, 1),
        ("weight_decay", weight_decay, 0, np.inf),
    ):
        if not low <= value < high:
            raise ValueError(f"{name} must be at least {low} and below {high}, got {value!r}")
    inputs = as_array(x)
    if inputs.ndim != 2 or not len(inputs):
        raise ValueError(f"x must be (samples, features) and not empty, got {inputs.shape}")
    labels = _labels(y, len(inputs))
    generator = np.random.default_rng(rng)
    dense = [layer for layer in model.layers if isinstance(layer, Dense)]
    velocities = [[np.zeros_like(p.data) for p in layer.parameters()] for layer in dense]

    history = []
    for epoch in range(epochs):
        step = learning_rate * (1 - epoch / epochs)
        order = generator.permutation(len(inputs))
        total = 0.0
        for start in range(0, len(inputs), batch_size):
            batch = order[start : start + batch_size]
            total += backpropagate(model, inputs[batch], labels[batch]) * len(batch)
            for layer, velocity in zip(dense, velocities, strict=True):
                _descend(layer, velocity, step, momentum, weight_decay)
        history.append(total / len(inputs))
        if not np.isfinite(history[-1]):
            raise ValueError(
                f"the loss became {history[-1]} in epoch {epoch + 1}: lower learning_rate, "
                f"now {learning_rate}, unless x holds NaN or infinity"
            )
    return history


def accuracy(model: Callable[[ArrayLike], ArrayLike], x: ArrayLike, y: ArrayLike) -> float:
    """The fraction of samples, 0 to 1, whose largest logit is at the index of the label.

    model: anything that maps x (samples, features) to logits (samples, classes).
    """
    logits = as_array(model(x))
    if logits.ndim != 2 or not len(logits):
        raise ValueError(f"logits must be (samples, classes) and not empty, got {logits.shape}")
    return float((logits.argmax(axis=1) == _labels(y, len(logits))).mean())


def _labels(y: ArrayLike, count: int) -> np.ndarray:
    """y as (count,) integers."""
    # A list of Python integers is welcome here, although a Tensor would make it float32.
    labels = np.asarray(y) if isinstance(y, list | tuple) else as_array(y)
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise ValueError(
            f"labels must be {count} integers, got shape {labels.shape} and dtype {labels.dtype}"
        )
    return labels


def _descend(
    layer: Dense, velocity: list[np.ndarray], step: float, momentum: float, weight_decay: float
) -> None:
    """One momentum step for one layer's parameters."""
    for parameter, gradient, v in zip(layer.parameters(), layer.gradients, velocity, strict=True):
        decay = weight_decay if parameter is layer.weights else 0.0
        v *= momentum
        v -= step * (gradient + decay * parameter.data)
        # A new array: the old one may be shared with whoever built the model.
        parameter.data = parameter.data + v
