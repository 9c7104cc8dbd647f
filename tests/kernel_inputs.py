"""Inputs for the kernels' contract: shapes, dtypes, memory orders and special values."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

DTYPES = [np.dtype(t) for t in ("f2", "f4", "f8", "i1", "i4", "i8", "?")]


def _reordered(draw: st.DrawFn, array: np.ndarray) -> np.ndarray:
    """The same values in another memory order: C, Fortran, reversed or strided."""
    if array.ndim == 0:
        return array
    order = draw(st.sampled_from("CFRS"))
    if order == "F":
        return np.asfortranarray(array)
    if order == "R":
        return np.ascontiguousarray(array[::-1])[::-1]
    if order == "S":
        wide = np.repeat(array, 2, axis=-1)
        return wide[..., ::2]
    return array


@st.composite
def arrays(draw: st.DrawFn, shape=None, dtypes=DTYPES) -> np.ndarray:
    """Any shape up to 3-D, 0-d and empty too; every dtype; NaN and infinities among the floats."""
    if shape is None:
        shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9))
    dtype = draw(st.sampled_from(dtypes))
    elements = None
    if dtype.kind == "f":
        special = st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-7])
        elements = st.floats(-1000, 1000, width=16) | special
        elements = elements.map(dtype.type)
    return _reordered(draw, draw(hnp.arrays(dtype, shape, elements=elements)))


@st.composite
def matrices(draw: st.DrawFn, dtypes=DTYPES) -> tuple[np.ndarray, np.ndarray]:
    """A pair whose product is exact in every dtype that can hold it: small whole numbers."""
    m, k, n = (draw(st.sampled_from([0, 1, 2, 5, 31, 33])) for _ in range(3))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    pair = []
    for shape in ((m, k), (k, n)):
        dtype = draw(st.sampled_from(dtypes))
        values = rng.integers(-1, 2, shape).astype(dtype)
        pair.append(_reordered(draw, values))
    return pair[0], pair[1]
