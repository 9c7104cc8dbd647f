"""The contract of quantized_matmul and compiled_quantized_matmul: the same, to the bit."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_inputs import matrices

from tinytorch.core import int8_packing
from tinytorch.core.kernels import compiled_quantized_matmul, quantized_matmul
from tinytorch.core.tensor import Tensor

PRODUCTS = {
    "BLAS": quantized_matmul,
    "compiled": compiled_quantized_matmul,
    "three threads": partial(compiled_quantized_matmul, num_workers=3),
}
each_product = pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)


@pytest.fixture(autouse=True, scope="module")
def _small_products_are_compiled_too():
    """They would go to BLAS, and these are small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8_packing, "WORTH_PACKING", 0)
        yield


@each_product
@pytest.mark.parametrize("shapes", [((2, 3), (4, 5)), ((3,), (3, 2)), ((2, 2, 3), (3, 2))])
def test_shapes_that_do_not_fit_are_named(product, shapes):
    with pytest.raises(ValueError) as error:
        product(np.ones(shapes[0]), np.ones(shapes[1]))
    assert str(shapes[0]) in str(error.value) and str(shapes[1]) in str(error.value)


@each_product
@pytest.mark.parametrize("bad", ["ab", None, [["x"]], [[1j]]])
def test_what_is_no_number_is_refused(product, bad):
    for operands in ((bad, [[1.0]]), ([[1.0]], bad)):
        with pytest.raises(TypeError):
            product(*operands)


@each_product
def test_tensors_and_lists_are_taken(product):
    got = product(Tensor([[1.0, 2.0]]), [[3.0], [4.0]])
    assert got.data.tolist() == [[11.0]] and got.dtype == np.float32


@given(
    m=st.sampled_from([1, 5, 6, 7, 13]),
    k=st.sampled_from([0, 1, 2, 3, 5, 8, 130]),
    n=st.sampled_from([1, 15, 16, 17, 33, 64, 65]),
    inputs=st.sampled_from(["f4", "f8", "i1", "i8"]),
    workers=st.sampled_from([1, 2, 5]),
)
@settings(deadline=None)
def test_both_agree_to_the_bit_at_every_edge(m, k, n, inputs, workers):
    rng = np.random.default_rng(m * n + k)
    A, B = (rng.integers(-200, 201, s).clip(-128, 127).astype(inputs) for s in ((m, k), (k, n)))
    scales = 0.7, rng.uniform(0.1, 2, n)
    kept = A.copy(), B.copy()
    got = compiled_quantized_matmul(A, B, *scales, num_workers=workers)
    np.testing.assert_array_equal(got.data, quantized_matmul(A, B, *scales).data)
    for array, before in zip((A, B), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("m, k, n", [(700, 90, 40), (40, 300, 9000), (3, 70_000, 300)])
def test_large_products_agree_in_several_panels_and_blocks(m, k, n):
    rng = np.random.default_rng(0)
    A, B = (rng.integers(-128, 128, s).astype(np.int8) for s in ((m, k), (k, n)))
    got = compiled_quantized_matmul(A, B[:, ::-1], 0.5, 0.5)
    np.testing.assert_array_equal(got.data, quantized_matmul(A, B[:, ::-1], 0.5, 0.5).data)


def test_sums_beyond_int32_are_left_to_float64():
    A, B = np.full((1, 140_000), -128, np.int8), np.full((140_000, 1), -128, np.int8)
    assert compiled_quantized_matmul(A, B).data[0, 0] == np.float32(140_000 * 2**14)


@pytest.mark.parametrize("bad, error", [(0, ValueError), (-3, ValueError), ("2", TypeError)])
def test_a_bad_number_of_workers_is_refused(bad, error):
    for size in (2, 300):
        with pytest.raises(error, match="num_workers"):
            compiled_quantized_matmul(np.ones((size, size)), np.ones((size, size)), num_workers=bad)


@each_product
@given(pair=matrices(dtypes=[np.dtype("i1")]), worst=st.booleans())
def test_int8_products_are_exact(product, pair, worst):
    A, B = (np.where(x < 0, -128, 127).astype(np.int8) if worst else x * 100 for x in pair)
    exact = A.astype(np.int64) @ B.astype(np.int64)
    got = product(A, B)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got.data, exact.astype(np.float32))


@each_product
@pytest.mark.parametrize("k", [1023, 1024, 1025, 4096, 100_000])
def test_long_int8_sums_are_exact(product, k):
    rng = np.random.default_rng(k)
    A = rng.integers(90, 128, (3, k)).astype(np.int8)
    B = rng.integers(90, 128, (k, 2)).astype(np.int8)
    B[k // 2 :] *= -1
    A[0], B[:, 0] = -128, -128  # the largest sum that int8 allows
    exact = A.astype(np.int64) @ B.astype(np.int64)
    np.testing.assert_array_equal(product(A, B).data, exact.astype(np.float32))


@each_product
@given(seed=st.integers(0, 999), per_channel=st.booleans())
def test_quantized_floats_equal_the_definition(product, seed, per_channel):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((5, 19), dtype=np.float32)
    B = rng.standard_normal((19, 4), dtype=np.float32)
    scale_A = 0.011
    scale_B = np.array([0.5, 0.01, 0.02, 0.003]) if per_channel else 0.02
    qa = np.clip(np.rint(A / np.float32(scale_A)), -128, 127).astype(np.int64)
    qb = np.clip(np.rint(B / np.asarray(scale_B, np.float32)), -128, 127).astype(np.int64)
    expected = ((qa @ qb) * (scale_A * scale_B)).astype(np.float32)
    got = product(A, B, scale_A=scale_A, scale_B=scale_B).data
    np.testing.assert_allclose(got, expected, rtol=1e-6)


@each_product
def test_mixed_inputs_quantize_only_the_float_one(product):
    A = np.array([[100, -100]], dtype=np.int8)
    B = np.array([[0.5], [1.0]], dtype=np.float32)
    got = product(A, B, scale_A=2.0, scale_B=0.5)
    assert got.data.tolist() == [[-100.0]]


@each_product
@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["scale_A", "scale_B"])
def test_scales_must_be_finite_and_positive(product, bad, where):
    with pytest.raises(ValueError, match=where):
        product(np.ones((2, 2), np.int8), np.ones((2, 2), np.int8), **{where: bad})


@each_product
@pytest.mark.parametrize("bad", [[1.0], [1.0, 2.0, 3.0], [1.0, 0.0], [[1.0, 1.0]]])
def test_a_vector_of_scales_has_one_positive_entry_per_column(product, bad):
    with pytest.raises(ValueError, match="scale_B"):
        product(np.ones((2, 2)), np.ones((2, 2)), scale_B=bad)


@each_product
def test_only_columns_may_have_scales_of_their_own(product):
    with pytest.raises((ValueError, TypeError), match="scale_A"):
        product(np.ones((2, 2)), np.ones((2, 2)), scale_A=[1.0, 1.0])


@each_product
def test_nan_cannot_be_quantized(product):
    with pytest.raises(ValueError, match="NaN"):
        product([[float("nan")]], [[1.0]])


@each_product
def test_results_beyond_float32_are_infinities_without_a_warning(product):
    ones = np.ones((1, 1), np.int8)
    with np.errstate(all="raise"):
        assert product(ones, ones, 1e200, 1e200).data[0, 0] == np.inf
        assert product(ones, ones, 1e-200, 1e-200).data[0, 0] == 0.0
        assert product(0 * ones, ones, 1e200, 1e30).data[0, 0] == 0.0
