"""The proven matrix product, its operand checks, and the Dense layer.

Every matmul kernel checks its operands here, so that all of them raise the same errors. How to
make the product fast is the business of ``tinytorch.core.kernels``.
"""

from __future__ import annotations

import numpy as np

from tinytorch.core.tensor import ArrayLike, Tensor, as_array, positive_int


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

    Its dtype is ``np.result_type(A, B)``. Raises ValueError as `matmul_operands` does.
    """
    a, b = matmul_operands(A, B)
    return a @ b


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
