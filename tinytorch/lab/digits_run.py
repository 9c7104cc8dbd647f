"""The digits network on somebody's kernels: accuracy, bytes and time per image, float32 and int8.

The reader's own kernels at the end of the lesson, and the exported ones in the demo, take the
same door. Pictures are drawn by plots.
"""

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from tinytorch.core.compression import QuantizedLayer, quantize_network
from tinytorch.core.networks import DenseStep, dense_layers
from tinytorch.core.tensor import Tensor
from tinytorch.data import digits_model, load_digits
from tinytorch.lab.measure import race
from tinytorch.lab.plots import digits_panels


class Kernels(Protocol):
    """What the network needs: the exported module, or a namespace of the reader's functions."""

    matmul_baseline: Callable[..., Tensor]
    vectorized_relu: Callable[..., Tensor]
    cache_friendly_matmul: Callable[..., Tensor]
    parallel_batch_processing: Callable[..., list[Any]]
    quantized_matmul: Callable[..., Tensor]


class DigitsRow(NamedTuple):
    """One way to run the network. accuracy: 0..1. seconds: per image, one entry per round."""

    name: str
    accuracy: float
    nbytes: int
    seconds: list[float]


def _logits(
    x: np.ndarray, steps: list[DenseStep], product: Callable[..., Tensor], relu: Callable[..., Any]
) -> np.ndarray:
    for weight, bias, has_relu in steps:
        x = product(x, weight).data + bias
        x = relu(x).data if has_relu else x
    return x


def _int8_logits(x: np.ndarray, layers: list[QuantizedLayer], kernels: Kernels) -> np.ndarray:
    for layer in layers:
        x = kernels.quantized_matmul(x, layer.weight, layer.input_scale, layer.weight_scale).data
        x = x + layer.bias
        x = kernels.vectorized_relu(x).data if layer.relu else x
    return x


def compare_digits(kernels: Kernels, rounds: int = 9) -> tuple[list[DigitsRow], np.ndarray]:
    """Run the held-out digits in every way; returns the rows and the int8 predictions (n,)."""
    digits, model = load_digits(), digits_model()
    steps = dense_layers(model)
    layers = quantize_network(model, digits.x_train)
    x = digits.x_test
    float_run = partial(_logits, steps=steps, relu=kernels.vectorized_relu)
    baseline = partial(float_run, product=kernels.matmul_baseline)
    halves = np.array_split(x, 2)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "baseline": lambda: baseline(x),
        "blocked": lambda: float_run(x, product=kernels.cache_friendly_matmul),
        "parallel": lambda: np.vstack(
            kernels.parallel_batch_processing(halves, baseline, num_workers=2)
        ),
        "int8 per channel": lambda: _int8_logits(x, layers, kernels),
    }
    predictions = {name: run().argmax(axis=1) for name, run in ways.items()}
    float_bytes = sum(step.weight.nbytes + step.bias.nbytes for step in steps)
    int8_bytes = sum(layer.nbytes for layer in layers)
    times = race(ways, rounds=rounds)
    rows = [
        DigitsRow(
            name,
            float(np.mean(predictions[name] == digits.y_test)),
            int8_bytes if name.startswith("int8") else float_bytes,
            [t / len(x) for t in times[name]],
        )
        for name in ways
    ]
    return rows, predictions["int8 per channel"]


def run_digits(kernels: Kernels, png: Path | None = None) -> str:
    """Compare the ways to run the digits, draw them, and return the table as text.

    kernels: an object with the five functions of `Kernels`. png: where to write the picture; by
    default it is shown.
    """
    rows, predictions = compare_digits(kernels)
    lost = 100 * (rows[0].accuracy - rows[-1].accuracy)
    smaller = rows[0].nbytes / rows[-1].nbytes
    loss = "loses no accuracy" if lost <= 0 else f"loses {lost:.2f} points of accuracy"
    conclusion = f"int8 {loss} and needs {smaller:.1f} times fewer bytes."
    digits_panels(rows, load_digits().x_test[:10], predictions[:10], caption=conclusion, png=png)
    lines = [f"{'kernels':<18}{'accuracy':>10}{'bytes':>10}{'time per image':>18}"]
    for row in rows:
        micros = statistics.median(row.seconds) * 1e6
        lines.append(f"{row.name:<18}{row.accuracy:>10.2%}{row.nbytes:>10,}{micros:>15.2f} us")
    return "\n".join([*lines, conclusion])
