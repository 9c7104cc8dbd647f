"""The plain activation functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinytorch.core.activations import ReLU, Sigmoid, Softmax, relu, sigmoid, softmax
from tinytorch.core.tensor import Tensor

FLOATS = st.floats(-(2.0**99), 2.0**99, width=32)
INF = np.inf


@pytest.mark.parametrize("dtype", ["?", "i1", "i8", "u2", "f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (2, 3, 4)])
def test_relu_keeps_shape_and_dtype(dtype, shape):
    result = relu(np.ones(shape, dtype))
    assert (result.shape, result.dtype) == (shape, np.dtype(dtype))


@given(hnp.arrays("f4", hnp.array_shapes(max_dims=3), elements=FLOATS))
def test_relu_is_the_larger_of_x_and_zero(x):
    assert relu(x).data.ravel().tolist() == [max(v, 0.0) for v in x.ravel().tolist()]


def test_relu_propagates_nan_and_leaves_its_input_alone():
    x = np.array([np.nan, -INF, INF, -1.0])
    np.testing.assert_array_equal(relu(x).data, [np.nan, 0, INF, 0])
    assert x[3] == -1.0


def test_sigmoid_values():
    expected = [0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1]
    np.testing.assert_allclose(sigmoid(np.array([-INF, -1, 0, 1, INF])).data, expected)


def test_sigmoid_is_accurate_far_out_without_a_warning():
    with np.errstate(all="raise"):
        got = sigmoid(np.array([-1e4, -700.0, 1e4])).data
    np.testing.assert_allclose(got, [0, np.exp(-700.0), 1])


@pytest.mark.parametrize("function", [sigmoid, softmax])
def test_float_dtypes_stay_and_integers_become_float(function):
    for dtype in ("f2", "f4", "f8"):
        assert function(np.ones(2, dtype)).dtype == dtype
    assert function(np.ones(2, "i8")).dtype == np.float64


@given(hnp.arrays("f8", hnp.array_shapes(max_dims=3), elements=FLOATS))
def test_softmax_rows_are_distributions(x):
    result = softmax(x).data
    assert (result >= 0).all()
    np.testing.assert_allclose(result.sum(axis=-1), 1)


def test_softmax_values():
    got = softmax([[0.0, np.log(3.0)], [1000.0, 1000.0]]).data
    np.testing.assert_allclose(got, [[0.25, 0.75], [0.5, 0.5]], rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (3, 0)])
def test_softmax_needs_a_class(shape):
    with pytest.raises(ValueError, match="softmax"):
        softmax(np.ones(shape))


@pytest.mark.parametrize("layer, function", [(ReLU, relu), (Sigmoid, sigmoid), (Softmax, softmax)])
def test_layers_apply_their_function(layer, function):
    x = Tensor([[-1.0, 2.0]])
    np.testing.assert_array_equal(layer()(x).data, function(x).data)


def test_relu_passes_gradients_where_its_input_was_positive():
    layer = ReLU()
    layer.forward(np.array([-1.0, 0.0, 2.0]))
    assert layer.backward(np.array([5.0, 6.0, 7.0])).tolist() == [0.0, 0.0, 7.0]


def test_backward_needs_forward():
    with pytest.raises(RuntimeError, match="forward"):
        ReLU().backward(np.ones(1))
