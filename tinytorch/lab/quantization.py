"""What quantization costs, in numbers: error, saturation, channels, headroom, a model's accuracy.

The reader's own kernels are arguments. Nothing is timed here and nothing is drawn (see
quantization_plots).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinytorch.core.compression import (
    quantize,
    quantize_network,
    scale_per_channel,
    scale_per_tensor,
)
from tinytorch.core.networks import dense_layers
from tinytorch.core.tensor import ArrayLike, Tensor, as_array
from tinytorch.data import digits_model, load_digits

Product = Callable[..., Tensor]  # quantized_matmul(A, B, scale_A, scale_B)
Floats = npt.NDArray[np.float64]

BITS = range(2, 9)  # what int8 can hold
BIGGEST_PRODUCT = 128 * 128  # of two int8 levels: -128 times -128
ACCUMULATORS = ("int8", "int16", "float32", "int32")
_LONGEST_SUM = 1 << 24  # terms that are summed one by one to find the first wrong sum


def last_level(bits: int) -> int:
    """The largest level of `bits` bits: 127 for 8. ValueError unless 2 <= bits <= 8."""
    if bits not in BITS:
        raise ValueError(f"bits must be from 2 to 8, got {bits!r}")
    return int(2 ** (bits - 1) - 1)


def levels(x: ArrayLike, scale: float | ArrayLike, bits: int = 8) -> npt.NDArray[np.int8]:
    """clip(round(x / scale), -2**(bits - 1), 2**(bits - 1) - 1) as int8, in the shape of x.

    scale: one number or one for each index of the last axis. A kernel that takes int8 as levels
    takes these, whatever their number of bits. ValueError: NaN, scales, bits.
    """
    last = last_level(bits)
    return np.clip(quantize(x, scale), -last - 1, last).astype(np.int8)


def saturation_rate(x: ArrayLike, scale: float, bits: int = 8) -> float:
    """The share of x, 0 to 1, that rounds to beyond the first or the last level; 0.0 if empty."""
    values, last = as_array(x), last_level(bits)
    rounded = np.round(values / np.float64(scale))
    beyond = np.count_nonzero((rounded > last) | (rounded < -last - 1))
    return beyond / max(1, values.size)


def relative_error(got: ArrayLike, exact: ArrayLike, axis: int | None = None) -> Any:
    """Root mean square of got - exact, divided by that of exact: a float, or one per column.

    axis: what the mean runs over; None is all. Zero where nothing differs; infinity
    where exact is zero and got is not, or where there is a NaN.
    """
    reference = np.asarray(as_array(exact), np.float64)
    difference = np.asarray(as_array(got), np.float64) - reference
    error, size = (np.sqrt(np.mean(v * v, axis=axis)) for v in (difference, reference))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(error == 0, 0.0, error / size)
    return np.where(np.isnan(ratio), np.inf, ratio)[()]


class ScaleSweep(NamedTuple):
    """Errors of one product by the scale of both matrices. Arrays have one entry per scale.

    error: of the product, as a share of its root mean square. cut_off: the same if values were
    only cut off at the last level and not rounded. blurred: if only rounded. saturated: the share
    of all values that is cut off. covering: the scale at which none is, largest value / last level.
    """

    bits: int
    scales: Floats
    error: Floats
    cut_off: Floats
    blurred: Floats
    saturated: Floats
    covering: float

    @property
    def best(self) -> int:
        """Index of the least error."""
        return int(np.argmin(self.error))


def sweep_scales(
    product: Product,
    A: ArrayLike,
    B: ArrayLike,
    scales: Iterable[float] | None = None,
    bits: int = 8,
) -> ScaleSweep:
    """Multiply the levels of A (m, k) and B (k, n) at each scale, and compare with A @ B.

    product: the reader's `quantized_matmul`. scales: by default four an octave, from 1/32 to 4
    times the covering one. bits: of a level, 2 to 8.
    """
    a, b, exact, largest = _both(A, B)
    last = last_level(bits)
    covering = largest / last
    if scales is None:
        scales = covering * 2 ** np.linspace(-5, 2, 29)
    steps = np.array([float(scale) for scale in scales])
    both, rows = np.concatenate([a.ravel(), b.ravel()]), []
    for scale in steps.tolist():
        low, high = (-last - 1) * scale, last * scale
        cut = np.clip(a, low, high) @ np.clip(b, low, high)
        round_only = np.round(a / scale) @ np.round(b / scale) * scale * scale
        errors = [relative_error(result, exact) for result in (cut, round_only)]
        whole = _error_at(product, a, b, exact, scale, bits)
        rows.append([whole, *errors, saturation_rate(both, scale, bits)])
    error, cut_off, blurred, saturated = np.array(rows).reshape(-1, 4).T
    return ScaleSweep(bits, steps, error, cut_off, blurred, saturated, covering)


class BitsSweep(NamedTuple):
    """Errors of one product by bits and scale, as shares of its root mean square.

    limits: the largest value that is not cut off, as a share of the largest that occurs; the scale
    is limit times `largest` / last level. errors: number of bits -> one entry per limit.
    """

    limits: Floats
    errors: dict[int, Floats]
    largest: float

    @property
    def least(self) -> dict[int, float]:
        """The error at each number of bits' best scale."""
        return {bits: float(errors.min()) for bits, errors in self.errors.items()}


def sweep_bits(
    product: Product, A: ArrayLike, B: ArrayLike, bits: Iterable[int] = BITS
) -> BitsSweep:
    """The product's error for each number of bits at 21 scales, up to twice the covering one.

    product: the reader's `quantized_matmul`. A: (m, k), B: (k, n); both get the same scale.
    """
    a, b, exact, largest = _both(A, B)
    limits = 2 ** np.linspace(-4, 1, 21)
    errors = {
        count: np.array(
            [
                _error_at(product, a, b, exact, s, count)
                for s in limits * largest / last_level(count)
            ]
        )
        for count in bits
    }
    return BitsSweep(limits, errors, largest)


def _both(A: ArrayLike, B: ArrayLike) -> tuple[Floats, Floats, Floats, float]:
    """Both as float64, their product, and the largest magnitude in them (1.0 if all are zero)."""
    a, b = (np.asarray(as_array(x), np.float64) for x in (A, B))
    return a, b, a @ b, float(max(abs(a).max(initial=0), abs(b).max(initial=0))) or 1.0


def _error_at(
    product: Product, a: Floats, b: Floats, exact: Floats, scale: float, bits: int
) -> float:
    got = product(levels(a, scale, bits), levels(b, scale, bits), float(scale), float(scale))
    return float(relative_error(got, exact))


class ChannelErrors(NamedTuple):
    """Errors of each output channel, as shares of its root mean square, (n,) each.

    one_scale: where one scale serves the whole weight matrix. own_scales: one per channel.
    outlier: index of the channel with the largest weight. factor: that weight divided by the
    largest of a median channel.
    """

    one_scale: Floats
    own_scales: Floats
    outlier: int
    factor: float

    @property
    def others(self) -> npt.NDArray[np.bool_]:
        """All channels but the outlier, as a mask."""
        return np.arange(len(self.one_scale)) != self.outlier


def channel_errors(product: Product, A: ArrayLike, W: ArrayLike) -> ChannelErrors:
    """A @ W through the reader's int8 product, with one scale for W and with one per column.

    A: (m, in), has one scale in both. W: (in, out). ValueError for a W without two columns.
    """
    weights = as_array(W)
    if weights.ndim != 2 or weights.shape[1] < 2:
        raise ValueError(f"W needs two output channels at least, got shape {weights.shape}")
    exact = np.asarray(as_array(A), np.float64) @ np.asarray(weights, np.float64)
    scale_a, own = scale_per_tensor(A), scale_per_channel(weights)
    one_scale, own_scales = (
        np.asarray(relative_error(product(A, W, scale_a, scale_w), exact, axis=0))
        for scale_w in (scale_per_tensor(W), own)
    )
    factor = float(own.max() / np.median(own))
    return ChannelErrors(one_scale, own_scales, int(np.argmax(own)), factor)


def largest_integer(dtype: npt.DTypeLike) -> int:
    """The number up to which `dtype` holds every whole number: 127 for int8, 2**24 for float32."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return int(2 ** (np.finfo(kind).nmant + 1))
    return int(np.iinfo(kind).max)


def safe_terms(dtype: npt.DTypeLike) -> int:
    """How many products of two int8 levels, up to 16,384 each, an accumulator surely holds."""
    return largest_integer(dtype) // BIGGEST_PRODUCT


def first_wrong_sum(dtype: npt.DTypeLike) -> int:
    """The number of terms of the first sum that comes out wrong, found by adding one by one.

    The terms are the largest product, 16,384, again and again; the last is it or a 1, as is worse
    (a float32 holds multiples of 16,384 for long, and no odd number beyond 2**24).
    ValueError where that takes more than 16 million terms.
    """
    safe = safe_terms(dtype)
    if safe >= _LONGEST_SUM:
        raise ValueError(f"{np.dtype(dtype)} holds {safe:,} terms: too many to add one by one")
    firsts = []
    for last in (BIGGEST_PRODUCT, 1):
        terms = np.full(safe + 1, BIGGEST_PRODUCT, np.int64)
        terms[-1] = last
        narrow = np.cumsum(terms.astype(dtype), dtype=dtype)
        wrong = narrow.astype(np.float64) != np.cumsum(terms)
        firsts += [int(wrong.argmax()) + 1] if wrong.any() else []
    return min(firsts)


def sums_are_exact(product: Product, terms: Sequence[int]) -> list[bool]:
    """Whether the reader's product gets the largest sum of each number of terms right.

    From 1,027 terms on a few at the end are 1 in place of 16,384, which a sum in float32 loses.
    Right means: the float32 nearest to the exact sum.
    """
    found = []
    for count in terms:
        row = np.full((1, count), -128, np.int8)
        if count >= safe_terms(np.float32) + 3:  # enough ones to reach the next float32
            row[0, -1 - int(np.spacing(np.float32(count * BIGGEST_PRODUCT))) :] = 1
        exact = int(np.sum(row.astype(np.int64) ** 2))
        got = as_array(product(row, row.T))
        found.append(got.shape == (1, 1) and bool(got[0, 0] == np.float32(exact)))
    return found


class DigitsAccuracy(NamedTuple):
    """Accuracy on the held-out digits, 0 to 1, one entry per number of bits."""

    bits: list[int]
    own_scales: list[float]
    one_scale: list[float]
    unquantized: float


def digits_by_bits(
    product: Product, relu: Callable[..., Tensor], bits: Iterable[int] = BITS
) -> DigitsAccuracy:
    """The digits network with weights and layer inputs of fewer bits, on the reader's kernels.

    product: `quantized_matmul`. relu: `vectorized_relu`. Each layer's input has one scale, set on
    the training images; weights have one per output channel, or one for the whole matrix.
    """
    digits, model, tried = load_digits(), digits_model(), list(bits)
    steps, eight = dense_layers(model), quantize_network(model, digits.x_train)

    def accuracy(b: int | None, own_scales: bool = True) -> float:
        x = digits.x_test
        for (weight, bias, has_relu), layer in zip(steps, eight, strict=True):
            if b is None:
                x = x @ weight + bias
            else:
                finer = 127 / last_level(b)  # the scales of eight bits, spread over fewer levels
                scale_x = layer.input_scale * finer
                scales = scale_per_channel if own_scales else scale_per_tensor
                scale_w = scales(weight) * finer
                q, w = levels(x, scale_x, b), levels(weight, scale_w, b)
                x = as_array(product(q, w, scale_x, scale_w)) + bias
            x = as_array(relu(x)) if has_relu else x
        return float(np.mean(x.argmax(axis=1) == digits.y_test))

    return DigitsAccuracy(
        tried, [accuracy(b) for b in tried], [accuracy(b, False) for b in tried], accuracy(None)
    )
