"""Compressed sparse rows of pruned weights: what is stored, and the way back."""

import numpy as np
import pytest
from hypothesis import given
from kernel_inputs import arrays

from tinytorch.core.compression import prune_magnitude, sparsity, to_sparse
from tinytorch.core.tensor import Tensor


def example() -> np.ndarray:
    return np.array([[0, 2, 0, 0], [1, 0, 0, 3], [0, 4, 0, 0]], dtype=np.float32)


def test_columns_follow_each_other_with_their_row_numbers():
    S = to_sparse(example())
    assert S.shape == (3, 4)
    assert S.indptr.tolist() == [0, 1, 3, 3, 4]
    assert S.indices.tolist() == [1, 0, 2, 1]
    assert S.values.tolist() == [1, 2, 4, 3]
    assert (S.indptr.dtype, S.indices.dtype, S.dtype) == (np.int64, np.int32, np.float32)


@given(W=arrays(shape=(5, 7)))
def test_the_dense_matrix_comes_back(W):
    kept = W.copy()
    dense = to_sparse(W).to_dense()
    assert dense.dtype == W.dtype
    np.testing.assert_array_equal(dense, W)
    np.testing.assert_array_equal(W, kept)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_matrices_without_entries_are_stored_too(shape):
    S = to_sparse(np.zeros(shape))
    assert S.to_dense().shape == shape and S.density == 0.0 and len(S.indptr) == shape[1] + 1


def test_density_and_bytes_count_what_is_stored():
    W = prune_magnitude(np.random.default_rng(0).standard_normal((40, 50)), 0.9)
    S = to_sparse(W)
    assert S.density == pytest.approx(1 - sparsity(W))
    assert S.nbytes == 200 * (8 + 4) + 51 * 8


def test_nan_is_stored():
    assert np.isnan(to_sparse([[0.0, float("nan")]]).values).tolist() == [True]


def test_it_is_a_copy():
    W = example()
    S = to_sparse(W)
    W[:] = 9
    np.testing.assert_array_equal(S.to_dense(), example())


def test_tensors_and_lists_are_taken_and_a_sparse_matrix_is_returned_as_it_is():
    S = to_sparse(Tensor(example()))
    assert to_sparse(S) is S
    assert to_sparse([[0.0, 1.0]]).dtype == np.float32


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_what_is_not_2d_is_refused(shape):
    with pytest.raises(ValueError) as error:
        to_sparse(np.ones(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("bad", ["ab", None, [["x"]], [[1j]]])
def test_what_is_no_array_is_refused(bad):
    with pytest.raises(TypeError):
        to_sparse(bad)
