"""The contract of matmul_baseline and cache_friendly_matmul."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_inputs import matrices

from tinytorch.core.kernels import cache_friendly_matmul, matmul_baseline
from tinytorch.core.tensor import Tensor

PRODUCTS = {
    "baseline": matmul_baseline,
    "blocked": lambda A, B: cache_friendly_matmul(A, B, block_size=4),
}


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
@given(pair=matrices())
def test_product_equals_numpy_for_any_shape_dtype_and_order(product, pair):
    A, B = pair
    kept = A.copy(), B.copy()
    got = product(A, B)
    assert type(got) is Tensor
    assert got.data.dtype == np.result_type(A, B)
    np.testing.assert_array_equal(got.data, A @ B)
    np.testing.assert_array_equal(A, kept[0])
    np.testing.assert_array_equal(B, kept[1])


@given(pair=matrices(), block=st.sampled_from([1, 2, 7, 32, 1000]))
def test_blocked_product_does_not_depend_on_the_block(pair, block):
    A, B = pair
    np.testing.assert_array_equal(cache_friendly_matmul(A, B, block).data, A @ B)


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_special_values_reach_the_elements_that_they_touch(product, special):
    A, B = np.ones((9, 9), np.float32), np.ones((9, 9), np.float32)
    A[4, 2] = special
    np.testing.assert_array_equal(product(A, B).data, A @ B)


@pytest.mark.parametrize("size", [257, 500])
def test_large_float_products_agree_with_float64(size):
    rng = np.random.default_rng(1)
    A, B = rng.standard_normal((2, size, size), dtype=np.float32)
    exact = A.astype(np.float64) @ B.astype(np.float64)
    for product in PRODUCTS.values():
        np.testing.assert_allclose(product(A, B).data, exact, atol=1e-3)


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
@pytest.mark.parametrize(
    "shapes",
    [((2, 3), (4, 5)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3, 2)), ((), (1, 1))],
)
def test_shapes_that_do_not_fit_are_named(product, shapes):
    with pytest.raises(ValueError) as error:
        product(np.ones(shapes[0]), np.ones(shapes[1]))
    assert str(shapes[0]) in str(error.value) and str(shapes[1]) in str(error.value)


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
@pytest.mark.parametrize("bad", ["ab", None, [["x"]], [[1j]]])
def test_what_is_no_number_is_refused(product, bad):
    with pytest.raises(TypeError):
        product(bad, [[1.0]])
    with pytest.raises(TypeError):
        product([[1.0]], bad)


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
def test_tensors_and_lists_are_taken(product):
    got = product(Tensor([[1.0, 2.0]]), [[3.0], [4.0]])
    assert got.data.tolist() == [[11.0]] and got.dtype == np.float32


@pytest.mark.parametrize("bad", [0, -3, 2.5, float("nan")])
def test_blocks_below_one_are_refused(bad):
    with pytest.raises(ValueError, match="block_size"):
        cache_friendly_matmul([[1.0]], [[1.0]], block_size=bad)


def test_a_block_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match="block_size"):
        cache_friendly_matmul([[1.0]], [[1.0]], block_size="8")
