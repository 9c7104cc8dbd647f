"""The proven matrix product, its operand checks, and the Dense layer.

Every matmul kernel checks its operands here, so that all of them raise the same errors. How to
make the product fast is the business of ``tinytorch.core.kernels``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.core.tensor import ArrayLike, Tensor, as_array, positive_int

# Bytes of operands that NumPy may copy for a product; beyond, parts of this many elements are
# copied, at most 16 MiB each.
_COPIES = 48 << 20
_PART = 1 << 20
# Up to this many elements an operand is better multiplied by `dot` than by `@`.
_TINY = 10_000


def matmul_operands(A: ArrayLike, B: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """A and B as ndarrays that a matrix product accepts, without copying ndarrays or Tensors.

    Raises ValueError, naming both shapes, unless A is (m, k) and B is (k, n).
    """
    a, b = as_array(A), as_array(B)
    if a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0]:
        return a, b
    received = f"matmul needs (m, k) and (k, n), got {a.shape} and {b.shape}"
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"{received}: both must be 2-D")
    raise ValueError(f"{received}: the inner dimensions {a.shape[1]} and {b.shape[0]} differ")


def matmul(A: ArrayLike, B: ArrayLike) -> np.ndarray:
    """The product of A (m, k) and B (k, n): an (m, n) ndarray.

    Its dtype is ``np.result_type(A, B)``. Raises ValueError as `matmul_operands` does. Memory: the
    result and at most 48 MiB of workspace, of which usual operands need nothing.
    """
    a, b = as_array(A), as_array(B)
    # dot begins 0.25 us sooner, 7 to 15 % of a 64 by 64 product; it clears its output first, which
    # costs larger products 2 %. Not for one element: OpenBLAS then skips 0 * NaN.
    if a.ndim == b.ndim == 2 and 1 < a.size <= _TINY and 1 < b.size <= _TINY:
        try:
            return a.dot(b)
        except ValueError:
            pass  # said in our own words below
    a, b = matmul_operands(a, b)
    dtype = np.result_type(a, b)
    copied = sum(x.size for x in (a, b) if not _read_in_place(x, dtype)) * dtype.itemsize
    return a @ b if copied <= _COPIES else _product_by_parts(a, b, dtype)


def _read_in_place(x: np.ndarray, dtype: np.dtype[Any]) -> bool:
    """Whether a product of this dtype reads x as it lies in memory; else NumPy copies all of it."""
    if x.dtype != dtype or not x.flags.aligned:
        return False
    (rows, columns), (down, along), item = x.shape, x.strides, x.itemsize
    by_rows = along == item and down >= columns * item and down % item == 0
    by_columns = down == item and along >= rows * item and along % item == 0
    return by_rows or by_columns


def _product_by_parts(a: np.ndarray, b: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """a @ b for operands that NumPy has to copy: small parts of them, one after the other."""
    depth = min(a.shape[1], 1024)
    across = _PART // depth
    out = np.empty((a.shape[0], b.shape[1]), dtype)
    a_parts, b_parts = _parts(a, across, depth), _parts(b, depth, across)
    for row, out_row in zip(a_parts, _parts(out, across, across), strict=True):
        for j, target in enumerate(out_row):
            np.matmul(row[0], b_parts[0][j], out=target)
            for left, right in zip(row[1:], b_parts[1:], strict=True):
                target += left @ right[j]
    return out


def _parts(x: np.ndarray, rows: int, columns: int) -> list[list[np.ndarray]]:
    """Views of x, in rows of parts that have at most `rows` by `columns` elements."""
    bands = np.array_split(x, range(rows, len(x), rows))
    return [np.array_split(band, range(columns, x.shape[1], columns), axis=1) for band in bands]


class Dense:
    """A fully connected layer, x @ weights + bias.

    in_features, out_features: widths of the input and the output.
    use_bias: without it, `bias` is None.
    rng: numpy Generator or seed for the weights.

    `weights` (in, out) float32 start as He et al. 2015 ("Delving Deep into Rectifiers") derive
    for ReLU networks: normal with standard deviation sqrt(2 / in). `bias` (out,) starts at zero.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        use_bias: bool = True,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        """Draw the weights; ValueError for a width below 1."""
        n_in = positive_int("in_features", in_features)
        n_out = positive_int("out_features", out_features)
        weights = np.random.default_rng(rng).standard_normal((n_in, n_out), dtype=np.float32)
        self.weights = Tensor(weights * np.float32(np.sqrt(2.0 / n_in)))
        self.bias = Tensor(np.zeros(n_out, np.float32)) if use_bias else None
        self.gradients: list[np.ndarray] = []
        self._input: np.ndarray | None = None

    @classmethod
    def from_arrays(cls, weights: ArrayLike, bias: ArrayLike | None = None) -> Dense:
        """A layer around weights (in, out) and bias (out,), which are not copied.

        Raises ValueError for shapes that do not fit.
        """
        w, b = as_array(weights), None if bias is None else as_array(bias)
        if w.ndim != 2 or (b is not None and b.shape != w.shape[1:]):
            raise ValueError(
                "a Dense layer needs weights (in, out) and bias (out,), "
                f"got {w.shape} and {None if b is None else b.shape}"
            )
        n_in, n_out = w.shape
        dense = cls(n_in, n_out, use_bias=False, rng=0)
        dense.weights, dense.bias = Tensor(w), None if b is None else Tensor(b)
        return dense

    def __call__(self, x: ArrayLike) -> Tensor:
        """The layer's output (batch, out) for x (batch, in)."""
        product = matmul(x, self.weights)
        return Tensor(product if self.bias is None else product + self.bias.data)

    def parameters(self) -> list[Tensor]:
        """The weights and, where there is one, the bias."""
        return [self.weights] if self.bias is None else [self.weights, self.bias]

    def forward(self, x: np.ndarray) -> np.ndarray:
        """The layer's output (batch, out) for x (batch, in), which `backward` will need."""
        self._input = x
        return self(x).data

    def backward(self, gradient: np.ndarray) -> np.ndarray:
        """The loss gradient (batch, in) for the input, from that for the output (batch, out).

        Leaves the gradients of the parameters in `gradients`, in the order of `parameters()`.
        """
        if self._input is None:
            raise RuntimeError("Dense.backward needs a call of forward before it")
        self.gradients = [self._input.T @ gradient]
        if self.bias is not None:
            self.gradients.append(gradient.sum(axis=0))
        return gradient @ self.weights.data.T
