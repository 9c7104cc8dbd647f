"""Making networks smaller: magnitude pruning and symmetric int8 quantization.

This is where weights and scales are prepared, and where pruned weights become compressed sparse
rows. Multiplying either kind of matrix is the business of ``tinytorch.core.kernels``.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from tinytorch.core.layers import Dense, matmul
from tinytorch.core.networks import Sequential, dense_layers
from tinytorch.core.passes import (
    levels_by_column,
    levels_by_one,
    one_pass_rows,
    product_by_column,
    product_by_one,
    scale_by_column,
    scale_by_one,
)
from tinytorch.core.tensor import ArrayLike, Tensor, as_array

# Elements that one pass works on: their 256 KiB in float32 stay in the L2 cache between passes.
_BLOCK = 1 << 16
# The normal numbers of float32, as Python floats: NumPy would compare a larger one in float32.
_TINY, _LARGEST = (float(v) for v in (np.finfo(np.float32).tiny, np.finfo(np.float32).max))


@overload
def check_scale(name: str, scale: Any) -> float: ...
@overload
def check_scale(name: str, scale: Any, columns: int | None) -> float | npt.NDArray[np.float64]: ...
def check_scale(
    name: str, scale: Any, columns: int | None = None
) -> float | npt.NDArray[np.float64]:
    """`scale` as a float or, where `columns` is given and it is a vector, as (columns,) float64.

    Raises ValueError, naming `name` and the value, unless all of it is finite and above zero and
    a vector has exactly `columns` entries; TypeError for what is no number, bools included.
    """
    if isinstance(scale, numbers.Real) and not isinstance(scale, bool):
        try:
            value = float(scale)
        except OverflowError:
            value = math.inf
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be finite and above zero, got {scale!r}")
        return value

    try:
        values = np.asarray(scale.data if isinstance(scale, Tensor) else scale)
    except ValueError:
        raise ValueError(f"{name} must be one number or a vector, got a ragged list") from None
    if values.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a number, got {scale!r} ({type(scale).__name__})")
    if values.ndim == 0:
        return check_scale(name, values[()], columns)
    if columns is None:
        raise ValueError(f"{name} must be one number, got shape {values.shape}")
    if values.shape != (columns,):
        raise ValueError(
            f"{name} must be one number or one per column, {columns} of them, "
            f"got shape {values.shape}"
        )
    with np.errstate(all="ignore"):
        values = values.astype(np.float64)
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(f"{name} must be finite and above zero, got {values[at]} at index {at}")
    return values


def quantize(
    x: ArrayLike,
    scale: float | ArrayLike,
    dtype: npt.DTypeLike = np.int8,
    out: npt.NDArray[Any] | None = None,
) -> npt.NDArray[Any]:
    """clip(round(x / scale), -128, 127), halves rounded to even: the int8 levels of x.

    x: any shape. int8 input counts as quantized already; as int8 it is returned uncopied.
    scale: one number, or a vector with one entry for each index of the last axis.
    dtype: of the result; float32 holds the same whole numbers, ready for a floating-point product.
    out: an array of the shape of x to write to instead, whose dtype then counts.
    Infinities saturate. Raises ValueError for NaN and for a scale that `check_scale` refuses.

    float32 and float16 are divided in float32 (in float64 where the scale does not fit float32),
    everything else in float64.
    """
    array = as_array(x)
    factor = check_scale("scale", scale, array.shape[-1] if array.ndim else None)
    if array.dtype == np.int8 and out is None:
        return array.astype(dtype, copy=False)
    if out is None:
        out = np.empty_like(array, dtype=dtype)
    elif out.shape != array.shape:
        raise ValueError(f"out needs the shape of x, {array.shape}, got {out.shape}")
    if array.dtype == np.int8:
        out[...] = array
        return out
    if isinstance(factor, np.ndarray) and array.dtype.char in "ef" and _differ(factor):
        # Each column by its own scale's dtype, whatever its neighbours are.
        for part in (_fits_float32(factor), ~_fits_float32(factor)):
            out[..., part] = quantize(array[..., part], factor[part], out.dtype)
        return out
    if _quantize_in_one_pass(array, factor, out):
        return out
    if array.flags.c_contiguous and out.flags.c_contiguous and isinstance(factor, float):
        # Flat where that needs no copy, so that blocks have one size whatever the shape is.
        _quantize_rows(array.reshape(-1), factor, out.reshape(-1))
    else:
        _quantize_rows(array, factor, out)
    return out


def _quantize_in_one_pass(array: np.ndarray, scale: float | np.ndarray, out: np.ndarray) -> bool:
    """`quantize` into `out` in compiled code, 0.3 against 0.7 ms a million; False where unfit."""
    same = array.dtype.char in "fd" and _working_dtype(array.dtype, scale) == array.dtype
    rows = one_pass_rows(array) if same and out.dtype.char in "bhfd" else None
    target = one_pass_rows(out) if rows is not None else None
    if rows is None or target is None:
        return False
    divisor, columns = np.asarray(scale, array.dtype), array.shape[-1]
    if divisor.ndim:
        nan = levels_by_column(rows, columns, divisor, target)
    elif array.flags.c_contiguous and out.flags.c_contiguous:  # one long row
        nan = levels_by_one(rows.reshape(1, -1), array.size, divisor[()], target.reshape(1, -1))
    else:
        nan = levels_by_one(rows, columns, divisor[()], target)
    if nan:
        raise ValueError("NaN cannot be quantized")
    return True


def _quantize_rows(rows: np.ndarray, scale: float | np.ndarray, out: np.ndarray) -> None:
    """`quantize` into `out`, a block of rows at a time: all passes run over one cached block."""
    if rows.size == 0:
        return
    with np.errstate(all="ignore"):
        work = _working_dtype(rows.dtype, scale)
        divisor = np.asarray(scale, dtype=work)
        step = max(1, _BLOCK * len(rows) // rows.size)
        in_place = out.dtype == work
        buffer = out if in_place else np.empty_like(rows[:step], dtype=work)
        for start in range(0, len(rows), step):
            block, target = rows[start : start + step], out[start : start + step]
            q = target if in_place else buffer[: len(block)]
            np.divide(block, divisor, out=q, dtype=work)
            np.rint(q, out=q)
            np.clip(q, -128, 127, out=q)
            if in_place:
                q += 0.0  # a level of -0.0 does not exist in int8
            if math.isnan(q.min()):  # min propagates NaN, which has no int8
                raise ValueError("NaN cannot be quantized")
            if not in_place:
                target[...] = q


def _working_dtype(dtype: np.dtype[Any], scale: float | np.ndarray) -> np.dtype[Any]:
    """The float dtype to divide in: at least float32, and wide enough for the scale."""
    wide = np.promote_types(dtype, np.float32 if dtype.kind == "f" else np.float64)
    return wide if np.all(_fits_float32(scale)) else np.promote_types(wide, np.float64)


def _fits_float32(scale: float | np.ndarray) -> Any:
    """Which scales float32 holds; not the subnormal ones, which would lose digits."""
    return (scale >= _TINY) & (scale <= _LARGEST)


def _differ(scales: np.ndarray) -> bool:
    """Whether some of the scales fit float32 and others do not."""
    fits = _fits_float32(scales)
    return bool(fits.any() and not fits.all())


def dequantize(q: ArrayLike, scale: float | ArrayLike) -> npt.NDArray[np.float32]:
    """q * scale as float32, computed in float64. Shape of q.

    q: integers, int8 or an accumulator. scale: as in `quantize`.
    A product beyond float32 becomes an infinity. Raises TypeError where q holds no integers.
    """
    array = as_array(q)
    if array.dtype.kind not in "iu":
        raise TypeError(f"only integers can be dequantized, got dtype {array.dtype}")
    factor = check_scale("scale", scale, array.shape[-1] if array.ndim else None)
    out = np.empty_like(array, dtype=np.float32)
    rows = one_pass_rows(array) if array.dtype.char in "bi" and array.flags.c_contiguous else None
    if rows is None:
        with np.errstate(all="ignore"):
            np.multiply(array, factor, out=out, dtype=np.float64, casting="same_kind")
    elif isinstance(factor, float):
        product_by_one(rows.reshape(1, -1), factor, out.reshape(1, -1))
    else:
        product_by_column(rows, factor, out.reshape(rows.shape))
    return out


def rescale(
    sums: npt.NDArray[Any], factor: float | npt.NDArray[np.float64], out: npt.NDArray[np.float32]
) -> None:
    """out = sums * factor, computed in float64 and rounded once.

    sums: floating-point sums of products of levels, perhaps `out` itself. factor: one number or
    one for each index of the last axis, not checked. A product beyond float32 is an infinity.
    """
    rows = one_pass_rows(out) if sums is out else None
    if rows is None:
        with np.errstate(all="ignore"):
            np.multiply(sums, factor, out=out, dtype=np.float64, casting="same_kind")
    elif np.all(factor == 1):
        return
    elif isinstance(factor, float):
        scale_by_one(rows, out.shape[-1], factor)
    else:
        scale_by_column(rows, out.shape[-1], factor)


def scale_per_tensor(x: ArrayLike) -> float:
    """The symmetric int8 scale max|x| / 127; 1.0 where x is all zeros or empty.

    Raises ValueError where x holds NaN or an infinity.
    """
    array = as_array(x).reshape(-1, 1)
    return float(_column_scales(array)[0])


def scale_per_channel(W: ArrayLike) -> npt.NDArray[np.float64]:
    """`scale_per_tensor` of each column of W (in, out): a vector (out,)."""
    weights = as_array(W)
    if weights.ndim != 2:
        raise ValueError(f"scales per channel need W (in, out), got shape {weights.shape}")
    return _column_scales(weights)


def _column_scales(array: np.ndarray) -> npt.NDArray[np.float64]:
    """max|column| / 127, or 1.0 for a column of zeros."""
    with np.errstate(all="ignore"):
        # float64 before the sign change: -(-128) does not exist in int8.
        low = array.min(axis=0, initial=0).astype(np.float64)
        high = array.max(axis=0, initial=0).astype(np.float64)
        largest = np.maximum(-low, high)
        if not np.isfinite(largest).all():
            raise ValueError("an int8 scale needs finite values, got NaN or infinity")
        scales = largest / 127
    # Also where the quotient underflows: a scale of zero is none.
    return np.where(scales > 0, scales, 1.0)


def prune_magnitude(W: ArrayLike, fraction: float) -> np.ndarray:
    """A copy of W with its round(fraction * size) entries of smallest magnitude set to zero.

    Among equal magnitudes the first in row-major order go. fraction: from 0 to 1.
    Raises ValueError for another fraction and TypeError for what is no number.
    """
    if not isinstance(fraction, numbers.Real) or isinstance(fraction, bool):
        raise TypeError(f"fraction must be a number from 0 to 1, got {fraction!r}")
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction must lie between 0 and 1, got {fraction!r}")
    weights = as_array(W)
    magnitude = np.abs(weights).ravel()
    if magnitude.dtype.kind == "i":  # |-128| overflows int8 to a bit pattern that is right unsigned
        magnitude = magnitude.view(magnitude.dtype.str.replace("i", "u"))
    smallest = np.argsort(magnitude, kind="stable")[: round(float(fraction) * weights.size)]
    pruned = weights.copy()
    pruned.flat[smallest] = 0
    return pruned


def sparsity(W: ArrayLike) -> float:
    """The fraction of entries that are zero, 0 to 1; 0.0 where there are no entries."""
    weights = as_array(W)
    return 1.0 - np.count_nonzero(weights) / weights.size if weights.size else 0.0


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """Weights W (in, out) without their zeros: compressed sparse rows of W.T, one row per output.

    shape: (in, out). indptr: (out + 1,) int64; column j of W is stored from indptr[j] up to
    indptr[j + 1]. indices: the row of W of each entry, ascending within a column, int32.
    values: the entries. SciPy calls it `csr_matrix((values, indices, indptr), (out, in))`.
    """

    shape: tuple[int, int]
    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    values: npt.NDArray[Any]

    @property
    def dtype(self) -> np.dtype[Any]:
        """dtype of the values."""
        return self.values.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of values, indices and indptr."""
        return self.values.nbytes + self.indices.nbytes + self.indptr.nbytes

    @property
    def density(self) -> float:
        """The fraction of entries that are stored, 0 to 1; 0.0 where there are no entries."""
        size = self.shape[0] * self.shape[1]
        return len(self.values) / size if size else 0.0

    def to_dense(self) -> np.ndarray:
        """The matrix (in, out) as a new ndarray."""
        dense = np.zeros(self.shape, self.dtype)
        columns = np.repeat(np.arange(self.shape[1]), np.diff(self.indptr))
        dense[self.indices, columns] = self.values
        return dense


def to_sparse(W: ArrayLike | SparseMatrix) -> SparseMatrix:
    """The entries of W (in, out) that are not zero, NaN included. A copy; of W's dtype.

    An entry of 4 bytes takes 8 here: less memory than W where over half of it is zero. What is
    sparse already is returned as it is. Raises ValueError unless W is 2-D, with fewer than 2**31
    rows, and TypeError for what is no array.
    """
    if isinstance(W, SparseMatrix):
        return W
    weights = as_array(W)
    if weights.ndim != 2 or weights.shape[0] >= 2**31:
        raise ValueError(f"a sparse matrix needs W (in, out), got shape {weights.shape}")
    by_column = np.ascontiguousarray(weights.T)
    stored = by_column != 0
    indptr = np.zeros(len(by_column) + 1, np.int64)
    np.cumsum(np.count_nonzero(stored, axis=1), out=indptr[1:])
    indices = np.nonzero(stored)[1].astype(np.int32)
    rows, columns = weights.shape
    return SparseMatrix((rows, columns), indptr, indices, by_column[stored])


def prune_network(model: Sequential, fraction: float) -> Sequential:
    """A new network in which each Dense layer's weights went through `prune_magnitude`.

    Biases are copied; layers of other kinds are shared with `model`.
    """
    layers: list[Any] = []
    for layer in model.layers:
        if isinstance(layer, Dense):
            bias = None if layer.bias is None else layer.bias.data.copy()
            layer = Dense.from_arrays(prune_magnitude(layer.weights, fraction), bias)
        layers.append(layer)
    return Sequential(layers)


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """A Dense layer in int8, for relu(dequantized(input @ weight) + bias).

    weight: (in, out) int8. weight_scale: (out,), one per output channel.
    input_scale: one number for the layer's input. bias: (out,) float32. relu: whether one follows.
    """

    weight: npt.NDArray[np.int8]
    weight_scale: npt.NDArray[np.float32]
    input_scale: float
    bias: npt.NDArray[np.float32]
    relu: bool

    @property
    def nbytes(self) -> int:
        """Bytes of weights, scales and bias, with 4 for the input scale."""
        return self.weight.nbytes + self.weight_scale.nbytes + self.bias.nbytes + 4


def quantize_network(model: Sequential, calibration: ArrayLike) -> list[QuantizedLayer]:
    """The Dense/ReLU network in int8: weights per output channel, inputs per tensor.

    calibration: a batch (samples, in) whose largest magnitude at each layer's input, computed in
    float, sets that layer's input scale; larger values will saturate.
    Raises ValueError for other layers and for an empty calibration batch.
    """
    x = as_array(calibration)
    if x.size == 0:
        raise ValueError(f"calibration needs at least one sample, got shape {x.shape}")
    quantized = []
    for weight, bias, relu in dense_layers(model):
        scale = scale_per_channel(weight).astype(np.float32)
        quantized.append(
            QuantizedLayer(
                weight=quantize(weight, scale),
                weight_scale=scale,
                input_scale=scale_per_tensor(x),
                bias=bias.astype(np.float32),
                relu=relu,
            )
        )
        x = matmul(x, weight) + bias
        x = np.maximum(x, 0) if relu else x
    return quantized
