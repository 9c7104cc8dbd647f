"""The contract of vectorized_relu, vectorized_operations, parallel_relu and quantized_relu."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_inputs import arrays

from tinytorch.core.kernels import (
    parallel_relu,
    quantized_relu,
    vectorized_operations,
    vectorized_relu,
)
from tinytorch.core.tensor import Tensor

RELUS = {"vectorized": vectorized_relu, "parallel": lambda x: parallel_relu(x, num_workers=3)}


def expected_relu(x: np.ndarray) -> np.ndarray:
    """By hand, element by element in Python: NaN stays, everything below zero becomes zero."""
    flat = [v if v != v or v > 0 else x.dtype.type(0) for v in x.reshape(-1)]
    return np.array(flat, dtype=x.dtype).reshape(x.shape)


def assert_same(got: Tensor, expected: np.ndarray) -> None:
    assert type(got) is Tensor
    assert got.data.dtype == expected.dtype
    assert got.data.shape == expected.shape
    np.testing.assert_array_equal(got.data, expected)


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
@given(x=arrays())
def test_relu_equals_the_definition_for_any_shape_dtype_and_order(relu, x):
    before = x.copy()
    got = relu(x)
    assert_same(got, expected_relu(x))
    np.testing.assert_array_equal(x, before)
    assert not np.shares_memory(got.data, x)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "g", "i1", "u2", "i8", "?"])
def test_relu_of_a_large_array_equals_the_definition(dtype):
    special = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-7, -1e-7, 3.0, -3.0]
    values = [v for v in special if np.dtype(dtype).kind == "f" or (np.isfinite(v) and v >= 0)]
    x = np.resize(np.array(values).astype(dtype), (130, 257))
    expected = expected_relu(x).astype(np.dtype(dtype).newbyteorder("="))
    for view, wanted in ((x, expected), (x.T, expected.T), (x[::-1, ::2], expected[::-1, ::2])):
        assert_same(vectorized_relu(view), wanted)


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
def test_relu_takes_tensors_lists_and_numbers(relu):
    assert_same(relu(Tensor(np.array([-1.0, 2.0]))), np.array([0.0, 2.0]))
    assert_same(relu([-1, 2]), np.array([0, 2], dtype=np.float32))
    assert_same(relu(-3.0), np.array(0, dtype=np.float32))


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
@pytest.mark.parametrize("bad", ["text", None, [object()], 1j, {"a": 1}])
def test_relu_refuses_what_is_no_number(relu, bad):
    with pytest.raises(TypeError):
        relu(bad)


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("shape", [(200_003,), (2, 150_001), (150_001, 2), (61, 67, 71)])
def test_parallel_relu_equals_vectorized_relu_on_large_arrays(workers, shape):
    x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    x.reshape(-1)[::1001] = np.nan
    for view in (x, np.asfortranarray(x), x[::-1], x[..., ::2]):
        assert_same(parallel_relu(view, workers), np.maximum(view, np.float32(0)))


@pytest.mark.parametrize("bad", [0, -1, 1.5, float("nan"), float("inf")])
@pytest.mark.parametrize("size", [3, 300_000])
def test_parallel_relu_refuses_fewer_than_one_worker(bad, size):
    with pytest.raises(ValueError, match="num_workers"):
        parallel_relu(np.ones(size, np.float32), num_workers=bad)


@pytest.mark.parametrize("bad", ["4", None, [4]])
def test_parallel_relu_refuses_workers_that_are_no_number(bad):
    with pytest.raises(TypeError, match="num_workers"):
        parallel_relu(np.ones(3, np.float32), num_workers=bad)


@given(data=st.data())
def test_vectorized_operations_equals_numpy(data):
    x = data.draw(arrays())
    y = data.draw(arrays(shape=x.shape))
    kept = x.copy(), y.copy()
    got = vectorized_operations(x, y)
    a, b = x.astype(np.result_type(x, y)), y.astype(np.result_type(x, y))
    difference = a ^ b if a.dtype == bool else a - b
    assert list(got) == ["multiply", "add", "squared_diff"]
    assert_same(got["multiply"], np.asarray(a * b))
    assert_same(got["add"], np.asarray(a + b))
    assert_same(got["squared_diff"], np.asarray(difference * difference))
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(y, kept[1])


@pytest.mark.parametrize("shapes", [((2, 3), (3, 2)), ((3,), ()), ((1,), (4,)), ((0,), (1,))])
def test_vectorized_operations_refuses_to_broadcast(shapes):
    with pytest.raises(ValueError) as error:
        vectorized_operations(np.ones(shapes[0]), np.ones(shapes[1]))
    assert str(shapes[0]) in str(error.value) and str(shapes[1]) in str(error.value)


@given(x=arrays(), scale=st.sampled_from([1.0, 0.25, 1 / 127, 3.7, 1e-30, 1e30]))
def test_quantized_relu_equals_the_definition(x, scale):
    if np.isnan(x).any():
        with pytest.raises(ValueError, match="NaN"):
            quantized_relu(x, scale)
        return
    wide = x.astype(np.float64) if x.dtype.kind != "f" else x.astype(np.float32)
    wide = wide.astype(np.float64) if not 1e-37 < scale < 1e38 else wide
    divided = wide / wide.dtype.type(scale)
    q = x if x.dtype == np.int8 else np.clip(np.rint(divided), -128, 127)
    expected = np.asarray(np.maximum(q.astype(np.float64), 0) * scale, dtype=np.float32)
    before = x.copy()
    assert_same(quantized_relu(x, scale), expected)
    np.testing.assert_array_equal(x, before)


def test_quantized_relu_saturates():
    assert quantized_relu([2.0], scale=1 / 127).data[0] == np.float32(1.0)
    assert quantized_relu(np.array([np.inf, -np.inf]), scale=2.0).data.tolist() == [254.0, 0.0]


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf"), -float("inf")])
def test_quantized_relu_refuses_scales_that_are_not_finite_and_positive(bad):
    with pytest.raises(ValueError, match="scale"):
        quantized_relu([1.0], scale=bad)
    with pytest.raises(ValueError, match="scale"):
        quantized_relu(np.ones(3, np.int8), scale=bad)


@pytest.mark.parametrize("bad", ["1", None])
def test_quantized_relu_refuses_scales_that_are_no_number(bad):
    with pytest.raises(TypeError, match="scale"):
        quantized_relu([1.0], scale=bad)
