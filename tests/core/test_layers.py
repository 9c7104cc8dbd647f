"""The matrix product, its operand checks, and Dense."""

import numpy as np
import pytest

from tinytorch.core.layers import Dense, matmul, matmul_operands
from tinytorch.core.tensor import Tensor


def test_operands_are_not_copied():
    a, b = np.ones((2, 3)), np.ones((3, 4))
    assert all(x is y for x, y in zip(matmul_operands(Tensor(a), b), (a, b), strict=True))


@pytest.mark.parametrize("function", [matmul, matmul_operands])
def test_inner_dimensions_that_differ_name_both_shapes(function):
    with pytest.raises(ValueError) as error:
        function(np.ones((2, 3)), np.ones((4, 5)))
    assert str(error.value) == (
        "matmul needs (m, k) and (k, n), got (2, 3) and (4, 5): the inner dimensions 3 and 4 differ"
    )


@pytest.mark.parametrize("a, b", [((3,), (3, 2)), ((2, 3), (3,)), ((), ()), ((1, 2, 2), (2, 2))])
def test_operands_that_are_not_2d_name_both_shapes(a, b):
    with pytest.raises(ValueError, match="both must be 2-D") as error:
        matmul(np.ones(a), np.ones(b))
    assert f"got {a} and {b}" in str(error.value)


@pytest.mark.parametrize("dtype_a", ["?", "i1", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("dtype_b", ["?", "i1", "i8", "f2", "f4", "f8"])
def test_the_product_has_the_result_type(dtype_a, dtype_b):
    a, b = np.eye(3, dtype=dtype_a), np.tri(3, dtype=dtype_b)
    product = matmul(a, b)
    assert type(product) is np.ndarray
    assert product.dtype == np.result_type(a, b)
    np.testing.assert_array_equal(product, np.tri(3))


@pytest.mark.parametrize("m, k, n", [(0, 3, 2), (2, 0, 3), (2, 3, 0), (1, 1, 1), (5, 7, 3)])
def test_the_product_of_any_sizes(m, k, n):
    rng = np.random.default_rng(0)
    a, b = rng.integers(-9, 9, (m, k)), rng.integers(-9, 9, (k, n))
    expected = [[sum(a[i, p] * b[p, j] for p in range(k)) for j in range(n)] for i in range(m)]
    np.testing.assert_array_equal(matmul(a, b), np.array(expected).reshape(m, n))


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("i1", "i8"), ("f8", "f8")])
@pytest.mark.parametrize("shape", [(7000, 1030, 3), (3, 1030, 7000), (3, 2_200_000, 2)])
def test_the_product_of_large_operands_that_numpy_would_copy(dtypes, shape):
    m, k, n = shape
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, (m, 2 * k)).astype(dtypes[0])[:, ::-2]
    b = rng.integers(0, 2, (k, n)).astype(dtypes[1])[:, ::-1]
    kept, product = a.copy(), matmul(a, b)
    assert product.dtype == np.result_type(a, b)
    np.testing.assert_array_equal(product, a @ b)
    np.testing.assert_array_equal(a, kept)


@pytest.mark.parametrize("m, n", [(1, 1), (1, 5), (5, 1)])
def test_zero_times_nan_is_nan(m, n):
    zeros, nans = np.zeros((m, 1), np.float32), np.full((1, n), np.nan, np.float32)
    assert np.isnan(matmul(zeros, nans)).all()
    assert np.isnan(matmul(nans.T, zeros.T)).all()


def test_lists_are_operands_too():
    product = matmul([[1, 2]], [[3], [4]])
    assert (product.dtype, product.tolist()) == (np.float32, [[11.0]])


def test_dense_is_x_times_weights_plus_bias():
    layer = Dense.from_arrays([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0])
    assert layer([[1.0, 1.0]]).data.tolist() == [[14.0, 26.0]]
    assert Dense.from_arrays([[1.0, 2.0]])([[3.0]]).data.tolist() == [[3.0, 6.0]]


def test_dense_starts_with_he_weights_and_zero_bias():
    layer = Dense(200, 300, rng=0)
    assert (layer.weights.shape, layer.weights.dtype) == ((200, 300), np.float32)
    assert layer.weights.data.std() == pytest.approx(np.sqrt(2 / 200), rel=0.02)
    assert abs(layer.weights.data.mean()) < 0.002
    assert layer.bias.data.tolist() == [0.0] * 300


def test_dense_weights_come_from_the_rng():
    seeded = [Dense(3, 2, rng=seed).weights.data for seed in (1, 1, 2)]
    np.testing.assert_array_equal(seeded[0], seeded[1])
    assert (seeded[0] != seeded[2]).any()
    generator = np.random.default_rng(1)
    np.testing.assert_array_equal(Dense(3, 2, rng=generator).weights.data, seeded[0])


def test_parameters_are_the_weights_and_the_bias_if_any():
    layer = Dense(3, 2)
    assert layer.parameters() == [layer.weights, layer.bias]
    without = Dense(3, 2, use_bias=False)
    assert without.bias is None
    assert without.parameters() == [without.weights]


@pytest.mark.parametrize("sizes", [(0, 2), (2, -1), (1.5, 2)])
def test_dense_needs_positive_widths(sizes):
    with pytest.raises(ValueError, match="_features must be a whole number"):
        Dense(*sizes)


@pytest.mark.parametrize("weights, bias", [((3,), None), ((3, 2), (3,)), ((3, 2), (1, 2))])
def test_from_arrays_refuses_shapes_that_do_not_fit(weights, bias):
    with pytest.raises(ValueError, match="weights"):
        Dense.from_arrays(np.ones(weights), None if bias is None else np.ones(bias))


def test_backward_needs_forward():
    with pytest.raises(RuntimeError, match="forward"):
        Dense(2, 2).backward(np.ones((1, 2)))
