"""Activation functions, as functions and as layers.

These are the plain NumPy versions. The fast ones are in ``tinytorch.core.kernels``; losses are
in ``tinytorch.core.training``.
"""

from __future__ import annotations

import numpy as np

from tinytorch.core.tensor import ArrayLike, Tensor, as_array


def relu(x: ArrayLike) -> Tensor:
    """max(x, 0) for every element: same shape and dtype as x. NaN stays NaN."""
    array = as_array(x)
    # A zero of x's own dtype, so that bool stays bool.
    return Tensor(np.maximum(array, array.dtype.type(0)))


def sigmoid(x: ArrayLike) -> Tensor:
    """1 / (1 + exp(-x)) for every element, without overflow for any finite x.

    Floats keep their dtype; integers are computed in the float dtype that NumPy pairs with them.
    """
    array = _floating(x)
    # exp of a non-positive number cannot overflow: both branches are written with it.
    with np.errstate(under="ignore"):
        decay = np.exp(-np.abs(array))
        return Tensor(np.where(array >= 0, 1, decay) / (1 + decay))


def softmax(x: ArrayLike) -> Tensor:
    """exp(x) / sum(exp(x)) over the last axis, without overflow for any finite x.

    Returns the shape of x. Raises ValueError where there is no last axis or it is empty.
    """
    array = _floating(x)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError(f"softmax needs at least one class on the last axis, got {array.shape}")
    # Subtracting the maximum cancels in the quotient and keeps exp at 1 or below.
    with np.errstate(under="ignore"):
        exponentials = np.exp(array - array.max(axis=-1, keepdims=True))
        return Tensor(exponentials / exponentials.sum(axis=-1, keepdims=True))


class ReLU:
    """`relu` as a layer."""

    def __init__(self) -> None:
        """Start with nothing to differentiate."""
        self._positive: np.ndarray | None = None

    def __call__(self, x: ArrayLike) -> Tensor:
        """`relu` of x."""
        return relu(x)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """`relu` of x, which `backward` will need."""
        self._positive = x > 0
        return relu(x).data

    def backward(self, gradient: np.ndarray) -> np.ndarray:
        """The loss gradient for the input of the last `forward`, from that for its output."""
        if self._positive is None:
            raise RuntimeError("ReLU.backward needs a call of forward before it")
        return gradient * self._positive


class Sigmoid:
    """`sigmoid` as a layer."""

    def __call__(self, x: ArrayLike) -> Tensor:
        """`sigmoid` of x."""
        return sigmoid(x)


class Softmax:
    """`softmax` as a layer."""

    def __call__(self, x: ArrayLike) -> Tensor:
        """`softmax` of x."""
        return softmax(x)


def _floating(x: ArrayLike) -> np.ndarray:
    """x as a floating-point array."""
    array = as_array(x)
    return array if array.dtype.kind == "f" else array.astype(np.result_type(array, np.float32))
