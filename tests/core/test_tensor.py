"""Tensor, as_array and positive_int: what they accept, keep and refuse."""

import copy
import pickle
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinytorch.core.tensor import Tensor, as_array, positive_int

DTYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", ">f4"]
NO_NUMBERS = [
    "abc",
    "1.5",
    None,
    ["1", "2"],
    [1.0, None],
    1 + 2j,
    np.array([1j]),
    np.array([None]),
    np.array(["2020-01-01"], dtype="M8[D]"),
    {1, 2},
    {"a": 1},
    b"ab",
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_ndarray_is_wrapped_without_copying(dtype):
    array = np.zeros((2, 3), dtype)
    assert Tensor(array).data is array
    assert Tensor(array, dtype=dtype).data is array
    assert as_array(array) is array


def test_a_tensor_shares_the_array_of_a_tensor():
    first = Tensor(np.arange(3.0))
    assert Tensor(first).data is first.data
    assert as_array(first) is first.data


@pytest.mark.parametrize("wrap", [lambda x: Tensor(x).data, as_array])
def test_a_subclass_becomes_a_base_view_of_the_same_memory(wrap):
    matrix = np.eye(2).view(type("Sub", (np.ndarray,), {}))
    array = wrap(matrix)
    assert type(array) is np.ndarray
    assert np.shares_memory(array, matrix)


@pytest.mark.parametrize(
    "data, shape",
    [(1, ()), (2.5, ()), ([], (0,)), ([1, 2], (2,)), ((1.5, 2), (2,)), ([[1], [2]], (2, 1)),
     (range(3), (3,)), (2**70, ()), ([2**70, 1], (2,)), ([np.float64(1), 2], (2,))],
)  # fmt: skip
@pytest.mark.parametrize("wrap", [lambda x: Tensor(x).data, as_array])
def test_python_numbers_become_float32(wrap, data, shape):
    array = wrap(data)
    assert array.dtype == np.float32
    assert array.shape == shape
    np.testing.assert_array_equal(array, np.float32(np.array(data, dtype=np.float64)))


@pytest.mark.parametrize("data", [True, [True, False]])
def test_python_bools_stay_bool(data):
    assert Tensor(data).dtype == np.bool_


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_scalars_keep_their_dtype(dtype):
    scalar = np.ones((), dtype)[()]
    assert Tensor(scalar).dtype == scalar.dtype
    assert Tensor(scalar).shape == ()


@pytest.mark.parametrize("data", NO_NUMBERS, ids=repr)
@pytest.mark.parametrize("wrap", [Tensor, as_array])
def test_what_is_no_number_is_refused_and_named(wrap, data):
    expected = str(data.dtype) if isinstance(data, np.ndarray) else type(data).__name__
    with pytest.raises(TypeError) as error:
        wrap(data)
    assert expected in str(error.value)


def test_a_masked_array_is_refused_rather_than_unmasked():
    with pytest.raises(TypeError, match="filled"):
        Tensor(np.ma.array([1.0, 2.0], mask=[True, False]))


@pytest.mark.parametrize("wrap", [Tensor, as_array])
def test_a_ragged_list_is_a_value_error(wrap):
    with pytest.raises(ValueError, match="ragged list"):
        wrap([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("data", [1e300, [1e300], 10**400, [10**400]])
def test_a_number_beyond_float32_is_refused_instead_of_becoming_infinite(data):
    with pytest.raises(ValueError, match="float64 ndarray"):
        Tensor(data)


def test_dtype_converts():
    assert Tensor([1, 2], dtype=np.int8).dtype == np.int8
    assert Tensor(0.1, dtype=np.float64).item() == 0.1
    assert Tensor(np.zeros(2), dtype="f4").dtype == np.float32


@pytest.mark.parametrize("dtype", [complex, object, "U3", "M8[s]"])
def test_a_dtype_that_holds_no_real_numbers_is_refused(dtype):
    with pytest.raises(TypeError, match="dtype"):
        Tensor([1.0], dtype=dtype)


@given(hnp.arrays(st.sampled_from(["f4", "i8", "?"]), hnp.array_shapes(min_dims=0, min_side=0)))
def test_properties_are_those_of_the_array(array):
    tensor = Tensor(array)
    for name in ("shape", "dtype", "size", "ndim", "nbytes", "itemsize"):
        assert getattr(tensor, name) == getattr(array, name)
    assert tensor.T.shape == array.T.shape
    assert tensor.numpy() is array


def test_numpy_reads_a_tensor_without_copying():
    tensor = Tensor(np.arange(3.0))
    assert np.asarray(tensor) is tensor.data
    assert np.asarray(tensor, dtype="f4").dtype == np.float32
    assert not np.shares_memory(np.array(tensor, copy=True), tensor.data)
    assert np.maximum(tensor, 1).tolist() == [1.0, 1.0, 2.0]
    assert np.sum(tensor) == 3.0


@pytest.mark.parametrize("other", [Tensor([2.0, 4.0]), np.float32([2, 4]), [2.0, 4.0], 2.0])
def test_operators_work_from_both_sides(other):
    a, b = np.float32([1, 8]), np.asarray(other)
    tensor = Tensor(a)
    pairs = [
        (tensor + other, a + b), (other + tensor, b + a),
        (tensor - other, a - b), (other - tensor, b - a),
        (tensor * other, a * b), (other * tensor, b * a),
        (tensor / other, a / b), (other / tensor, b / a),
    ] if not isinstance(other, list) else [
        (tensor + other, a + b), (tensor - other, a - b), (other - tensor, b - a),
        (tensor / other, a / b), (other / tensor, b / a), (other * tensor, b * a),
    ]  # fmt: skip
    for got, expected in pairs:
        assert type(got) is Tensor
        np.testing.assert_array_equal(got.data, expected)


def test_matmul_works_from_both_sides():
    a = np.arange(4.0).reshape(2, 2)
    for product in (Tensor(a) @ Tensor(a), Tensor(a) @ a, a @ Tensor(a), Tensor(a) @ a.tolist()):
        assert type(product) is Tensor
        np.testing.assert_array_equal(product.data, a @ a)


def test_negation():
    assert (-Tensor([1.0, -2.0])).data.tolist() == [-1.0, 2.0]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_a_python_number_leaves_the_dtype_alone(dtype):
    product = Tensor(np.ones(2, dtype)) * 0.1
    assert product.dtype == dtype
    assert product.data[0] == np.dtype(dtype).type(0.1)


def test_an_operator_refuses_what_is_no_number():
    with pytest.raises(TypeError, match="abc"):
        Tensor([1.0]) + "abc"


def test_equality_and_hash_are_identity():
    tensor = Tensor([1.0])
    assert tensor == tensor
    assert tensor != Tensor([1.0])
    assert len({tensor, tensor, Tensor([1.0])}) == 2


def test_indexing_iteration_and_length():
    tensor = Tensor([[1, 2], [3, 4]])
    assert len(tensor) == 2
    assert tensor[1].data.tolist() == [3, 4]
    assert tensor[:, 0].data.tolist() == [1, 3]
    assert tensor[0, 1].item() == 2
    assert tensor[Tensor(np.array([1, 0]))].data.tolist() == [[3, 4], [1, 2]]
    assert [row.data.tolist() for row in tensor] == [[1, 2], [3, 4]]
    with pytest.raises(IndexError):
        tensor[2]


def test_a_0d_tensor_cannot_be_iterated():
    with pytest.raises(TypeError):
        list(Tensor(1.0))


def test_truth_is_numpys():
    assert not Tensor(0.0)
    assert Tensor([2.0])
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1.0, 2.0]))


def test_item_needs_exactly_one_element():
    assert Tensor([[2.5]]).item() == 2.5
    with pytest.raises(ValueError, match=r"\(2,\)"):
        Tensor([1, 2]).item()


def test_reshape_is_a_view():
    tensor = Tensor(np.arange(6.0))
    assert tensor.reshape(2, 3).shape == (2, 3)
    assert np.shares_memory(tensor.reshape(-1, 2).data, tensor.data)


def test_repr_shows_values_and_dtype():
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.], dtype=float32)"


def test_a_tensor_survives_pickle_and_copy():
    tensor = Tensor([1.0, 2.0])
    for other in (pickle.loads(pickle.dumps(tensor)), copy.deepcopy(tensor)):
        np.testing.assert_array_equal(other.data, tensor.data)


@pytest.mark.parametrize("value", [1, 7, np.int8(3), np.uint64(5), 10**20, np.array(4)])
def test_positive_int_returns_an_int(value):
    number = positive_int("block_size", value)
    assert type(number) is int
    assert number == value


@pytest.mark.parametrize(
    "value", [0, -1, np.int64(0), 2.0, 1.5, np.float32(2), float("nan"), 1j, Decimal(2)]
)
def test_positive_int_names_a_number_that_will_not_do(value):
    with pytest.raises(ValueError) as error:
        positive_int("block_size", value)
    assert str(error.value) == f"block_size must be a whole number of at least 1, got {value!r}"


@pytest.mark.parametrize("value", ["4", None, [4], True, np.True_, b"4"])
def test_positive_int_refuses_what_is_no_number(value):
    with pytest.raises(TypeError, match="num_workers must be a whole number of at least 1, got"):
        positive_int("num_workers", value)


def test_an_object_array_is_refused_even_where_it_holds_numbers():
    with pytest.raises(TypeError, match="dtype object"):
        Tensor(np.array([1, 2.5], dtype=object))
