"""How much a kernel computes and how many bytes it must move: counted on paper, never measured.

The byte model is compulsory traffic: every operand is read once and the result is written once,
as if the caches were infinite. A kernel may move more, never less, so its point in a roofline is
as far to the right as it can be (Williams, Waterman and Patterson, "Roofline", 2009).
"""

from collections.abc import Iterable
from typing import NamedTuple

_LIST_ITEM = 32  # bytes: a list holds a pointer (8), which leads to a float object (24)


class Work(NamedTuple):
    """What one call does. operations: how many of `kind`. bytes: moved at least. model: why.

    result: those of the bytes that are the result's.
    """

    operations: float
    bytes: float
    result: float
    model: str
    kind: str = "float32"

    @property
    def intensity(self) -> float:
        """Operations per byte."""
        return self.operations / self.bytes


def product_work(m: int, k: int, n: int) -> Work:
    """(m, k) @ (k, n) in float32: a multiplication and an addition for each of m k n terms."""
    return Work(2 * m * k * n, 4 * (m * k + k * n + m * n), 4 * m * n, "4 B x (A + B + C)")


def list_product_work(m: int, k: int, n: int) -> Work:
    """The same product on Python's lists of floats, whose numbers take 32 bytes each."""
    model = f"{_LIST_ITEM} B x (A + B + C), lists"
    moved = _LIST_ITEM * (m * k + k * n + m * n)
    return Work(2 * m * k * n, moved, _LIST_ITEM * m * n, model, "Python float")


def int8_product_work(m: int, k: int, n: int, kind: str = "int8") -> Work:
    """(m, k) @ (k, n) of int8 levels with a float32 result.

    kind: of the multiplications and additions; "float32" where BLAS does them on the levels.
    """
    moved = m * k + k * n + 4 * m * n
    return Work(2 * m * k * n, moved, 4 * m * n, "1 B x (A + B) + 4 B x C", kind)


def sparse_work(m: int, k: int, n: int, stored: int) -> Work:
    """(m, k) @ (k, n) in float32 where only `stored` weights are not zero; only these count.

    Each has its value (4 bytes) and its row (4 bytes), each column its start (8 bytes).
    """
    moved = 4 * (m * k + m * n) + 8 * stored + 8 * (n + 1)
    return Work(2 * m * stored, moved, 4 * m * n, "4 B x (A + C) + 8 B a stored weight")


def relu_work(size: int) -> Work:
    """ReLU of `size` float32: one comparison each, read once and written once."""
    return Work(size, 8 * size, 4 * size, "4 B read + 4 B written")


def list_relu_work(size: int) -> Work:
    """ReLU of a Python list of floats."""
    model = f"{_LIST_ITEM} B read + {_LIST_ITEM} B written, lists"
    return Work(size, 2 * _LIST_ITEM * size, _LIST_ITEM * size, model, "Python float")


def int8_relu_work(size: int) -> Work:
    """ReLU of `size` int8 levels with a float32 result."""
    return Work(size, 5 * size, 4 * size, "1 B read + 4 B written", "int8")


def model_table(works: Iterable[tuple[str, str, Work]]) -> str:
    """The byte models as text, one line for each (name, size, work)."""
    form = "{:<26}{:>12}{:>15} {:<13}{:>14}{:>9}  {}"
    head = form.format("kernel", "size", "operations", "of", "bytes", "per byte", "bytes counted")
    return "\n".join([head, *(
        form.format(name, size, f"{work.operations:,.0f}", work.kind, f"{work.bytes:,.0f}",
                    f"{work.intensity:.3g}", work.model)
        for name, size, work in works
    )])  # fmt: skip
