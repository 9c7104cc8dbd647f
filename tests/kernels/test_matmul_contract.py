"""The contract of matmul_baseline, cache_friendly_matmul and quantized_matmul."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_inputs import matrices

from tinytorch.core.kernels import cache_friendly_matmul, matmul_baseline, quantized_matmul
from tinytorch.core.tensor import Tensor

FLOAT_PRODUCTS = {
    "baseline": matmul_baseline,
    "blocked": lambda A, B: cache_friendly_matmul(A, B, block_size=4),
}
ALL_PRODUCTS = FLOAT_PRODUCTS | {"quantized": quantized_matmul}


@pytest.mark.parametrize("product", FLOAT_PRODUCTS.values(), ids=FLOAT_PRODUCTS)
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


@pytest.mark.parametrize("product", FLOAT_PRODUCTS.values(), ids=FLOAT_PRODUCTS)
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
    for product in FLOAT_PRODUCTS.values():
        np.testing.assert_allclose(product(A, B).data, exact, atol=1e-3)


@pytest.mark.parametrize("product", ALL_PRODUCTS.values(), ids=ALL_PRODUCTS)
@pytest.mark.parametrize(
    "shapes",
    [((2, 3), (4, 5)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3, 2)), ((), (1, 1))],
)
def test_shapes_that_do_not_fit_are_named(product, shapes):
    with pytest.raises(ValueError) as error:
        product(np.ones(shapes[0]), np.ones(shapes[1]))
    assert str(shapes[0]) in str(error.value) and str(shapes[1]) in str(error.value)


@pytest.mark.parametrize("product", ALL_PRODUCTS.values(), ids=ALL_PRODUCTS)
@pytest.mark.parametrize("bad", ["ab", None, [["x"]], [[1j]]])
def test_what_is_no_number_is_refused(product, bad):
    with pytest.raises(TypeError):
        product(bad, [[1.0]])
    with pytest.raises(TypeError):
        product([[1.0]], bad)


@pytest.mark.parametrize("product", ALL_PRODUCTS.values(), ids=ALL_PRODUCTS)
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


@given(pair=matrices(dtypes=[np.dtype("i1")]), worst=st.booleans())
def test_int8_products_are_exact(pair, worst):
    A, B = (np.where(x < 0, -128, 127).astype(np.int8) if worst else x * 100 for x in pair)
    exact = A.astype(np.int64) @ B.astype(np.int64)
    got = quantized_matmul(A, B)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got.data, exact.astype(np.float32))


@pytest.mark.parametrize("k", [1023, 1024, 1025, 4096, 100_000])
def test_long_int8_sums_are_exact(k):
    rng = np.random.default_rng(k)
    A = rng.integers(90, 128, (3, k)).astype(np.int8)
    B = rng.integers(90, 128, (k, 2)).astype(np.int8)
    B[k // 2 :] *= -1
    A[0], B[:, 0] = -128, -128  # the largest sum that int8 allows
    exact = A.astype(np.int64) @ B.astype(np.int64)
    np.testing.assert_array_equal(quantized_matmul(A, B).data, exact.astype(np.float32))


@given(seed=st.integers(0, 999), per_channel=st.booleans())
def test_quantized_floats_equal_the_definition(seed, per_channel):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((5, 19), dtype=np.float32)
    B = rng.standard_normal((19, 4), dtype=np.float32)
    scale_A = 0.011
    scale_B = np.array([0.5, 0.01, 0.02, 0.003]) if per_channel else 0.02
    qa = np.clip(np.rint(A / np.float32(scale_A)), -128, 127).astype(np.int64)
    qb = np.clip(np.rint(B / np.asarray(scale_B, np.float32)), -128, 127).astype(np.int64)
    expected = ((qa @ qb) * (scale_A * scale_B)).astype(np.float32)
    got = quantized_matmul(A, B, scale_A=scale_A, scale_B=scale_B).data
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_mixed_inputs_quantize_only_the_float_one():
    A = np.array([[100, -100]], dtype=np.int8)
    B = np.array([[0.5], [1.0]], dtype=np.float32)
    got = quantized_matmul(A, B, scale_A=2.0, scale_B=0.5)
    assert got.data.tolist() == [[-100.0]]


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["scale_A", "scale_B"])
def test_scales_must_be_finite_and_positive(bad, where):
    with pytest.raises(ValueError, match=where):
        quantized_matmul(np.ones((2, 2), np.int8), np.ones((2, 2), np.int8), **{where: bad})


@pytest.mark.parametrize("bad", [[1.0], [1.0, 2.0, 3.0], [1.0, 0.0], [[1.0, 1.0]]])
def test_a_vector_of_scales_has_one_positive_entry_per_column(bad):
    with pytest.raises(ValueError, match="scale_B"):
        quantized_matmul(np.ones((2, 2)), np.ones((2, 2)), scale_B=bad)


def test_only_columns_may_have_scales_of_their_own():
    with pytest.raises((ValueError, TypeError), match="scale_A"):
        quantized_matmul(np.ones((2, 2)), np.ones((2, 2)), scale_A=[1.0, 1.0])


def test_nan_cannot_be_quantized():
    with pytest.raises(ValueError, match="NaN"):
        quantized_matmul([[float("nan")]], [[1.0]])


def test_results_beyond_float32_are_infinities_without_a_warning():
    ones = np.ones((1, 1), np.int8)
    with np.errstate(all="raise"):
        assert quantized_matmul(ones, ones, 1e200, 1e200).data[0, 0] == np.inf
        assert quantized_matmul(ones, ones, 1e-200, 1e-200).data[0, 0] == 0.0
        assert quantized_matmul(0 * ones, ones, 1e200, 1e30).data[0, 0] == 0.0
