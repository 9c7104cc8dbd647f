"""Sequential networks and their file format.

A network is a list of layers called one after the other. Training is in
``tinytorch.core.training``, pruning and quantization in ``tinytorch.core.compression``.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from os import PathLike
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np

from tinytorch.core.activations import ReLU, Sigmoid, Softmax
from tinytorch.core.layers import Dense
from tinytorch.core.tensor import ArrayLike, Tensor, as_array


class Layer(Protocol):
    """Anything that maps a batch to a batch."""

    def __call__(self, x: ArrayLike) -> Tensor:
        """The layer's output for the batch x."""
        ...


_ACTIVATIONS: dict[str, type[ReLU] | type[Sigmoid] | type[Softmax]] = {
    "relu": ReLU,
    "sigmoid": Sigmoid,
    "softmax": Softmax,
}

# What NumPy, zipfile and our own checks raise for a damaged or foreign file.
_MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


class Sequential:
    """Layers applied in order. `layers` is the list of them."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        """Keep the layers; TypeError for one that cannot be called."""
        for position, layer in enumerate(layers):
            if not callable(layer):
                raise TypeError(f"layer {position} is no layer: {layer!r} cannot be called")
        self.layers = list(layers)

    def __call__(self, x: ArrayLike) -> Tensor:
        """The output of the last layer (batch, out) for x (batch, in)."""
        result = Tensor(x)
        for layer in self.layers:
            result = layer(result)
        return result

    def parameters(self) -> list[Tensor]:
        """The parameters of all Dense layers, in order."""
        return [p for layer in self.layers if isinstance(layer, Dense) for p in layer.parameters()]

    def save(self, path: str | PathLike[str]) -> None:
        """Write the network to `path` as .npz: `layers` names them, `0.weights` holds arrays.

        The bytes depend on the network only. Raises TypeError for a layer of another kind than
        Dense, ReLU, Sigmoid and Softmax.
        """
        names: list[str] = []
        arrays: dict[str, Any] = {}
        for position, layer in enumerate(self.layers):
            if isinstance(layer, Dense):
                names.append("dense")
                arrays[f"{position}.weights"] = layer.weights.data
                if layer.bias is not None:
                    arrays[f"{position}.bias"] = layer.bias.data
            elif isinstance(layer, ReLU | Sigmoid | Softmax):
                names.append(type(layer).__name__.lower())
            else:
                raise TypeError(f"layer {position} cannot be saved: {type(layer).__name__}")
        with open(path, "wb") as file:  # an open file, or savez would append .npz to the name
            np.savez(file, layers=np.array(names, dtype="U16"), **arrays)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Sequential:
        """Read a network that `save` wrote. Nothing in the file is executed.

        Raises ValueError, naming the file, where it is not such a network, and OSError where it
        cannot be read.
        """
        with open(path, "rb") as file:
            try:
                return cls(_read_layers(file))
            except _MALFORMED as e:
                raise ValueError(f"{path} is not a saved TinyTorch network: {e}") from e


class DenseStep(NamedTuple):
    """One Dense layer as plain arrays: relu(x @ weight + bias), or without the relu."""

    weight: np.ndarray
    bias: np.ndarray
    relu: bool


def dense_layers(model: Sequential) -> list[DenseStep]:
    """The network as (weight (in, out), bias (out,), relu) steps; a missing bias becomes zeros.

    Raises ValueError for anything but Dense layers, each with or without one ReLU after it.
    """
    steps: list[DenseStep] = []
    for layer in model.layers:
        if isinstance(layer, Dense):
            weight = layer.weights.data
            bias = np.zeros(weight.shape[1], weight.dtype) if layer.bias is None else layer.bias
            steps.append(DenseStep(weight, as_array(bias), False))
        elif isinstance(layer, ReLU) and steps and not steps[-1].relu:
            steps[-1] = steps[-1]._replace(relu=True)
        else:
            raise ValueError(
                "needs Dense layers, each followed by at most one ReLU, "
                f"got {[type(each).__name__ for each in model.layers]}"
            )
    return steps


def _read_layers(file: BinaryIO) -> list[Layer]:
    """The layers in an .npz file; any of several errors where they do not make a network."""
    archive = np.load(file, allow_pickle=False)
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ValueError("it holds a single array")
    with archive:
        names = archive["layers"]
        if names.ndim != 1 or names.dtype.kind != "U":
            raise ValueError("'layers' is no list of names")
        layers: list[Layer] = []
        width: int | None = None
        for position, name in enumerate(names.tolist()):
            if name in _ACTIVATIONS:
                layers.append(_ACTIVATIONS[name]())
            elif name == "dense":
                weights, bias = archive[f"{position}.weights"], archive.get(f"{position}.bias")
                dense = Dense.from_arrays(weights, bias)
                if width not in (None, dense.weights.shape[0]):
                    raise ValueError(f"layer {position} does not take the {width} values it gets")
                width = dense.weights.shape[1]
                layers.append(dense)
            else:
                raise ValueError(f"layer {position} is of the unknown kind {name!r}")
        return layers
