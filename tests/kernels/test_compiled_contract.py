"""The contract of compiled_relu, compiled_matmul and fused_linear_relu."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_inputs import DTYPES, arrays, matrices

from tinytorch.core import kernels
from tinytorch.core.kernels import compiled_matmul, compiled_relu, fused_linear_relu
from tinytorch.core.tensor import Tensor

# Whole tiles, one short of them, one more, and more than one part of k.
SIZES = [1, 11, 12, 13, 25, 31, 32, 33, 64, 97]
FLOATS = [np.dtype("f4"), np.dtype("f8")]


@pytest.fixture(autouse=True, scope="module", params=[-1, kernels.WORTH_PACKING])
def _worth_packing(request):
    """Once with every product compiled, once with small ones left to NumPy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "WORTH_PACKING", request.param)
        yield


def small(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Whole numbers whose products and sums are exact in float32."""
    return rng.integers(-4, 5, shape).astype(dtype)


@given(x=arrays())
def test_relu_equals_numpy_for_any_shape_dtype_and_order(x):
    kept = x.copy()
    got = compiled_relu(x)
    assert type(got) is Tensor and got.data.dtype == x.dtype
    np.testing.assert_array_equal(got.data, np.maximum(x, x.dtype.type(0)))
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_relu_of_a_large_array_is_whole_however_many_threads_share_it(dtype, workers):
    x = np.random.default_rng(0).standard_normal(2**20 + 17).astype(dtype)
    np.testing.assert_array_equal(compiled_relu(x, num_workers=workers).data, np.maximum(x, 0))


def test_relu_keeps_the_sign_of_no_zero_but_every_nan_and_infinity():
    x = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 0.0] * 5, np.float32)
    expected = np.array([np.nan, np.nan, np.inf, 0, 0, 0] * 5, np.float32)
    np.testing.assert_array_equal(compiled_relu(x).data, expected)


@pytest.mark.parametrize("view", [lambda x: x.T, lambda x: x[::2, 1:], lambda x: x[::-1]])
def test_relu_of_a_view_of_two_million_elements(view):
    x = np.random.default_rng(0).standard_normal((1000, 2000), dtype=np.float32)
    np.testing.assert_array_equal(compiled_relu(view(x)).data, np.maximum(view(x), 0))


@given(pair=matrices())
def test_product_equals_numpy_for_any_shape_dtype_and_order(pair):
    A, B = pair
    kept = A.copy(), B.copy()
    got = compiled_matmul(A, B)
    assert type(got) is Tensor and got.data.dtype == np.result_type(A, B)
    np.testing.assert_array_equal(got.data, A @ B)
    np.testing.assert_array_equal(A, kept[0])
    np.testing.assert_array_equal(B, kept[1])


@settings(deadline=None)
@given(
    m=st.sampled_from(SIZES),
    k=st.sampled_from([*SIZES, 511, 512, 513, 1030]),
    n=st.sampled_from([*SIZES, 515]),
    dtype=st.sampled_from(FLOATS),
    workers=st.sampled_from([1, 2, 3, 5]),
)
def test_tiles_panels_and_threads_fit_together_at_every_edge(m, k, n, dtype, workers):
    rng = np.random.default_rng(m * k * n)
    A, B, b = small(rng, (m, k), dtype), small(rng, (k, n), dtype), small(rng, (n,), dtype)
    np.testing.assert_array_equal(compiled_matmul(A, B, workers).data, A @ B)
    expected = np.maximum(A @ B + b, 0)
    np.testing.assert_array_equal(fused_linear_relu(A, B, b, workers).data, expected)


@pytest.mark.parametrize("m, k, n", [(700, 600, 900), (1500, 3, 1500), (3, 1500, 3000)])
def test_products_large_enough_for_threads_by_default(m, k, n):
    rng = np.random.default_rng(1)
    A, B = small(rng, (m, k), np.float32), small(rng, (k, n), np.float32)
    np.testing.assert_array_equal(compiled_matmul(A, B).data, A @ B)


def test_what_is_left_unpacked_beyond_the_largest_copy_is_right_too():
    rng = np.random.default_rng(2)
    A = small(rng, (7, 3_600_000), np.float32)[:, ::-1]
    B = small(rng, (3_600_000, 2), np.int8).astype(np.float64)
    np.testing.assert_array_equal(compiled_matmul(A, B).data, A.astype(np.float64) @ B)


@given(data=st.data())
def test_fused_layer_equals_its_three_steps_for_any_dtype_and_order(data):
    x, W = data.draw(matrices())
    dtype = data.draw(st.sampled_from(DTYPES))
    b = np.random.default_rng(3).integers(-3, 4, W.shape[1]).astype(dtype)
    kept = x.copy(), W.copy(), b.copy()
    result = np.result_type(x, W, b)
    expected = np.maximum((x @ W).astype(result) + b.astype(result), result.type(0))
    got = fused_linear_relu(x, W, b)
    assert type(got) is Tensor and got.data.dtype == result
    np.testing.assert_array_equal(got.data, expected)
    for array, before in zip((x, W, b), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("dtype", FLOATS)
def test_random_products_agree_with_float64(dtype):
    rng = np.random.default_rng(4)
    A, B = rng.standard_normal((2, 300, 300)).astype(dtype)
    b = rng.standard_normal(300).astype(dtype)
    exact = A.astype(np.float64) @ B.astype(np.float64)
    tolerance = 300 * np.finfo(dtype).eps * 10
    np.testing.assert_allclose(compiled_matmul(A, B).data, exact, atol=tolerance)
    got = fused_linear_relu(A, B, b).data
    np.testing.assert_allclose(got, np.maximum(exact + b, 0), atol=tolerance)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_special_values_reach_the_elements_that_they_touch(special):
    A, B = np.ones((29, 9), np.float32), np.ones((9, 41), np.float32)
    A[14, 2], B[3, 40] = special, special
    np.testing.assert_array_equal(compiled_matmul(A, B).data, A @ B)
    expected = np.maximum(A @ B + np.float32(1), 0)
    np.testing.assert_array_equal(fused_linear_relu(A, B, np.ones(41, np.float32)).data, expected)


@pytest.mark.parametrize(
    "shapes",
    [((2, 3), (4, 5)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3, 2)), ((), (1, 1))],
)
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_shapes_that_do_not_fit_are_named(shapes, dtype):
    A, B = (np.ones(shape, dtype) for shape in shapes)
    for call in (lambda: compiled_matmul(A, B), lambda: fused_linear_relu(A, B, np.ones(2))):
        with pytest.raises(ValueError) as caught:
            call()
        assert str(shapes[0]) in str(caught.value) and str(shapes[1]) in str(caught.value)


@pytest.mark.parametrize("bias", [np.ones(3), np.ones(1), np.ones((1, 2)), np.float32(1)])
def test_a_bias_that_does_not_fit_is_named(bias):
    with pytest.raises(ValueError, match="bias") as caught:
        fused_linear_relu(np.ones((4, 3)), np.ones((3, 2)), bias)
    assert str(np.shape(bias)) in str(caught.value)


CALLS = {
    "relu": lambda x, w: compiled_relu(x, w),
    "product": lambda x, w: compiled_matmul(x, x, w),
    "layer": lambda x, w: fused_linear_relu(x, x, x[0], w),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
@pytest.mark.parametrize("bad, error", [(0, ValueError), (-3, ValueError), ("2", TypeError)])
def test_a_bad_number_of_workers_is_refused(call, dtype, bad, error):
    with pytest.raises(error, match="num_workers"):
        call(np.ones((4, 4), dtype), bad)


@pytest.mark.parametrize("bad", ["text", None, [[1.0], [2.0, 3.0]], [1 + 2j]])
def test_what_is_no_array_of_numbers_is_refused(bad):
    for call in (
        lambda: compiled_relu(bad),
        lambda: compiled_matmul(bad, np.ones((2, 2))),
        lambda: fused_linear_relu(np.ones((2, 2)), np.ones((2, 2)), bad),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()


def test_lists_and_numbers_are_float32_as_in_a_tensor():
    assert compiled_relu(-2.0).data.dtype == np.float32
    assert compiled_matmul([[2.0]], [[3]]).data.dtype == np.float32
    assert fused_linear_relu([[2.0]], [[3]], [-7]).data.tolist() == [[0.0]]


def test_read_only_inputs_are_welcome():
    x = np.broadcast_to(np.float32(-1), (40, 40))
    assert not compiled_relu(x).data.any()
    assert (compiled_matmul(x, x).data == 40).all()
    assert (fused_linear_relu(x, x, x[0]).data == 39).all()
