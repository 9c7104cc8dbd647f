"""Quantization and pruning of arrays."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinytorch.core.compression import (
    check_scale,
    dequantize,
    prune_magnitude,
    quantize,
    scale_per_channel,
    scale_per_tensor,
    sparsity,
)
from tinytorch.core.tensor import Tensor

INF = np.inf
SCALES = st.floats(1e-30, 1e30)
FLOATS32 = hnp.arrays(
    "f4", hnp.array_shapes(min_dims=0, min_side=0), elements=st.floats(width=32, allow_nan=False)
)


def expected_int8(x, scale, work):
    with np.errstate(all="ignore"):
        quotient = np.asarray(x, work) / np.asarray(scale, work)
    return np.clip(np.round(quotient), -128, 127).astype(np.int8)


# --- scales


@pytest.mark.parametrize("scale", [1, 0.5, np.float32(0.5), Fraction(1, 2), np.array(2), Tensor(3)])
def test_a_number_above_zero_is_a_scale(scale):
    value = check_scale("scale_A", scale)
    assert type(value) is float
    assert value == float(np.asarray(scale))


@pytest.mark.parametrize(
    "scale", [0, -1.0, INF, -INF, float("nan"), np.float32(0), np.array(-1.0), 10**400]
)
def test_a_scale_that_is_not_finite_and_positive_is_named(scale):
    with pytest.raises(ValueError, match="scale_A must be finite and above zero, got"):
        check_scale("scale_A", scale)


@pytest.mark.parametrize("scale", ["1", None, 1j, True, np.True_, ["a"], [None], {}])
def test_a_scale_that_is_no_number_is_a_type_error(scale):
    with pytest.raises(TypeError, match="scale_A"):
        check_scale("scale_A", scale, columns=1)


@pytest.mark.parametrize("scale", [[0.1, 1e-300], np.float32([1, 2]), Tensor([1, 2]), (1, 2)])
def test_a_vector_with_one_scale_per_column_becomes_float64(scale):
    values = check_scale("scale_B", scale, columns=2)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, np.asarray(scale, dtype="f8"))


@pytest.mark.parametrize("scale", [[1.0, 2.0], [1.0], [], np.ones((1, 3)), np.ones((3, 1))])
def test_a_vector_of_another_length_names_both(scale):
    with pytest.raises(ValueError, match="scale_B") as error:
        check_scale("scale_B", scale, columns=3)
    assert "3 of them" in str(error.value)
    assert str(np.shape(scale)) in str(error.value)


def test_a_vector_is_refused_where_one_number_is_needed():
    with pytest.raises(ValueError, match=r"one number, got shape \(2,\)"):
        check_scale("scale_A", [1.0, 2.0])


@pytest.mark.parametrize("wrong", [0.0, -1.0, INF, np.nan])
def test_a_wrong_entry_is_named_with_its_place(wrong):
    with pytest.raises(ValueError, match="at index 2"):
        check_scale("scale_B", [1.0, 1.0, wrong], columns=3)


def test_a_ragged_scale_is_a_value_error():
    with pytest.raises(ValueError, match="scale_B"):
        check_scale("scale_B", [[1.0], [1.0, 2.0]], columns=2)


# --- quantize


@given(FLOATS32, SCALES)
def test_float32_is_divided_rounded_and_clipped(x, scale):
    with np.errstate(all="raise"):
        q = quantize(x, scale)
    assert (q.dtype, q.shape) == (np.int8, x.shape)
    np.testing.assert_array_equal(q, expected_int8(x, scale, "f4"))


@pytest.mark.parametrize("dtype", ["?", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f8"])
@given(data=st.data())
def test_other_dtypes_are_divided_in_float64(dtype, data):
    elements = {"allow_nan": False} if dtype == "f8" else None
    x = data.draw(hnp.arrays(dtype, hnp.array_shapes(), elements=elements))
    scale = data.draw(SCALES)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(quantize(x, scale), expected_int8(x, scale, "f8"))


def test_float16_is_divided_in_float32():
    x = np.arange(-2000, 2000, dtype="f2") / np.float16(7)
    np.testing.assert_array_equal(quantize(x, 0.3), expected_int8(x, 0.3, "f4"))
    assert quantize(np.float16([60000]), 1e-6).tolist() == [127]


@pytest.mark.parametrize("scale", [1e-45, 1e-200, 5e-324, 1e39, 1e300])
def test_scales_that_do_not_fit_float32_are_honoured(scale):
    x = np.array([-3, -0.4, 0, 0.4, 3]) * scale
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(quantize(x, scale), expected_int8(x, scale, "f8"))
        vector = np.full(5, scale)
        np.testing.assert_array_equal(quantize(x, vector), expected_int8(x, vector, "f8"))


def test_a_subnormal_scale_keeps_its_digits():
    scale = 1.7e-45  # float32 has only 1.4e-45 and 2.8e-45 here
    x = np.float32([1e-43])
    np.testing.assert_array_equal(quantize(x, scale), expected_int8(x, scale, "f8"))


def test_halves_round_to_even():
    assert quantize([0.5, 1.5, 2.5, -0.5, -1.5, -2.5], 1).tolist() == [0, 2, 2, 0, -2, -2]


def test_values_beyond_the_range_and_infinities_saturate():
    x = np.float32([127.4, 128, 1e30, INF, -128.4, -129, -1e30, -INF])
    assert quantize(x, 1.0).tolist() == [127] * 4 + [-128] * 4


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("place", [0, 1, 99_999])
def test_nan_is_refused_wherever_it_is(dtype, place):
    x = np.ones(100_000, dtype)
    x[place] = np.nan
    with pytest.raises(ValueError, match="NaN cannot be quantized"):
        quantize(x, 1.0)


def test_int8_is_returned_as_it_is():
    q = np.arange(-128, 128).astype(np.int8)
    assert quantize(q, 0.5) is q
    assert quantize(Tensor(q), np.full(256, 0.5)) is q


@pytest.mark.parametrize("scale", [0.0, -1.0, INF, np.nan, [1.0, 2.0]])
def test_the_scale_is_checked_for_int8_input_too(scale):
    for x in (np.zeros((2, 3), np.int8), np.zeros((2, 3))):
        with pytest.raises(ValueError, match="scale"):
            quantize(x, scale)


@pytest.mark.parametrize("shape", [(), (0,), (0, 4), (4, 0), (1, 1), (2, 3, 4)])
def test_every_shape_keeps_its_shape(shape):
    q = quantize(np.full(shape, 2.0), 0.5)
    assert type(q) is np.ndarray
    assert (q.shape, q.dtype) == (shape, np.int8)
    assert (q == 4).all()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", ">f4"])
@pytest.mark.parametrize("per_column", [False, True])
@pytest.mark.parametrize(
    "layout",
    [np.ascontiguousarray, np.asfortranarray, lambda x: x[::-1, ::-1], lambda x: x[::2, 1::3],
     lambda x: np.broadcast_to(x[:1], x.shape)],
    ids=["C", "F", "reversed", "strided", "broadcast"],
)  # fmt: skip
def test_every_memory_order_and_block_is_right(dtype, per_column, layout):
    # Larger than one block of rows, and not a multiple of it.
    x = layout((np.random.default_rng(0).standard_normal((401, 603)) * 100).astype(dtype))
    scale = np.linspace(0.1, 2, x.shape[1]) if per_column else 0.7
    kept = x.copy()
    work = np.result_type(x, "f4") if x.dtype.kind == "f" else "f8"
    np.testing.assert_array_equal(quantize(x, scale), expected_int8(x, scale, work))
    np.testing.assert_array_equal(x, kept)


def test_a_read_only_input_will_do():
    x = np.ones((3, 3), "f4")
    x.flags.writeable = False
    assert (quantize(x, 1.0) == 1).all()


# --- dequantize


@given(hnp.arrays("i1", hnp.array_shapes(min_dims=0, min_side=0)), SCALES)
def test_dequantize_is_the_product_in_float32(q, scale):
    with np.errstate(all="ignore"):
        expected = (q.astype("f8") * scale).astype("f4")
    with np.errstate(all="raise"):
        x = dequantize(q, scale)
    assert (x.dtype, x.shape) == (np.float32, q.shape)
    np.testing.assert_array_equal(x, expected)


def test_dequantize_takes_one_scale_per_column():
    assert dequantize(np.int32([[1, 1], [2, 100_000]]), [0.5, 2.0]).tolist() == [
        [0.5, 2.0],
        [1.0, 200_000.0],
    ]


def test_the_largest_value_at_scale_1_127_is_exactly_one():
    assert dequantize(quantize([2.0], 1 / 127), 1 / 127).tolist() == [1.0]


def test_a_product_beyond_float32_is_infinite_without_a_warning():
    with np.errstate(all="raise"):
        assert dequantize(np.int8([1, -1, 0]), 1e300).tolist() == [INF, -INF, 0]


def test_only_integers_can_be_dequantized():
    with pytest.raises(TypeError, match="float32"):
        dequantize([1.0], 1.0)


@given(FLOATS32)
def test_a_round_trip_is_off_by_at_most_half_a_scale(x):
    x = x[np.isfinite(x)]
    scale = scale_per_tensor(x)
    error = np.abs(dequantize(quantize(x, scale), scale).astype("f8") - x)
    assert (error <= scale * 0.5001 + 2e-45).all()


# --- choosing scales


@pytest.mark.parametrize("dtype", ["i1", "i2", "u1", "f2", "f4", "f8"])
def test_scale_per_tensor_is_the_largest_magnitude_over_127(dtype):
    low = np.array([0, 100]) if dtype == "u1" else np.array([-128, 100])
    assert scale_per_tensor(low.astype(dtype)) == np.abs(low).max() / 127


@pytest.mark.parametrize("x", [np.zeros((2, 2)), np.zeros(0), np.zeros((0, 3)), 0.0, False])
def test_the_scale_of_zeros_or_nothing_is_one(x):
    assert scale_per_tensor(x) == 1.0


def test_the_scale_of_a_single_bool_is_that_of_one():
    assert scale_per_tensor(np.array([True, False])) == 1 / 127


def test_a_scale_never_underflows_to_zero():
    assert scale_per_tensor(np.array([5e-324])) == 1.0


@pytest.mark.parametrize("bad", [np.nan, INF, -INF])
@pytest.mark.parametrize("function", [scale_per_tensor, scale_per_channel])
def test_scales_need_finite_values(function, bad):
    with pytest.raises(ValueError, match="finite"):
        function(np.array([[1.0, bad]]))


def test_scale_per_channel_looks_at_each_column():
    scales = scale_per_channel(np.array([[1.0, -254.0, 0.0], [-2.0, 127.0, 0.0]]))
    np.testing.assert_array_equal(scales, [2 / 127, 2.0, 1.0])


@pytest.mark.parametrize("shape", [(3,), (), (1, 2, 3)])
def test_scale_per_channel_needs_a_matrix(shape):
    with pytest.raises(ValueError, match="shape"):
        scale_per_channel(np.ones(shape))


@given(hnp.arrays("f4", (4, 3), elements=st.floats(-(2.0**99), 2.0**99, width=32)))
def test_the_largest_weight_of_each_channel_uses_the_whole_range(weights):
    scales = scale_per_channel(weights)
    largest = np.abs(quantize(weights, scales)).max(axis=0)
    assert ((largest == 127) | (weights == 0).all(axis=0) | (scales < 1e-38)).all()


# --- pruning


@given(
    hnp.arrays(
        st.sampled_from(["f4", "f8", "i1", "i4"]),
        hnp.array_shapes(min_dims=0, min_side=0),
        elements={"allow_nan": False},
    ),
    st.floats(0, 1),
)
def test_exactly_the_smallest_weights_go_and_ties_by_position(weights, fraction):
    count = round(fraction * weights.size)
    magnitudes = [abs(v) for v in weights.ravel().tolist()]
    doomed = sorted(range(weights.size), key=lambda i: (magnitudes[i], i))[:count]
    expected = weights.ravel().copy()
    expected[doomed] = 0
    pruned = prune_magnitude(weights, fraction)
    assert pruned.dtype == weights.dtype
    np.testing.assert_array_equal(pruned, expected.reshape(weights.shape))


def test_ties_go_by_position_in_large_arrays_too():
    weights = np.random.default_rng(0).choice([-1.0, 1.0, 2.0], 10_000)
    doomed = np.flatnonzero(np.abs(weights) == 1)[:5000]
    np.testing.assert_array_equal(np.flatnonzero(prune_magnitude(weights, 0.5) == 0), doomed)


@pytest.mark.parametrize("dtype", ["i1", "i2", "i8", ">i2"])
def test_the_lowest_integer_is_the_largest_magnitude(dtype):
    weights = np.array([np.iinfo(dtype).min, 100], dtype)
    assert prune_magnitude(weights, 0.5).tolist() == [weights[0], 0]


def test_pruning_returns_a_copy_and_follows_rows_in_any_memory_order():
    weights = np.asfortranarray(np.ones((2, 3)))
    assert prune_magnitude(Tensor(weights), 0.5).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert (weights == 1).all()
    assert not np.shares_memory(prune_magnitude(weights, 0), weights)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan"), INF])
def test_a_fraction_outside_0_to_1_is_named(fraction):
    with pytest.raises(ValueError, match=f"got {fraction}"):
        prune_magnitude([1.0], fraction)


@pytest.mark.parametrize("fraction", ["0.5", None, [0.5], True])
def test_a_fraction_that_is_no_number_is_a_type_error(fraction):
    with pytest.raises(TypeError, match="fraction"):
        prune_magnitude([1.0], fraction)


def test_sparsity_is_the_fraction_of_zeros():
    assert sparsity([0.0, 1.0, -0.0, 3.0]) == 0.5
    assert sparsity([]) == 0.0
    assert sparsity(Tensor(np.zeros((2, 2)))) == 1.0


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.float32, np.float64])
def test_levels_are_the_same_whole_numbers_in_every_dtype(dtype):
    x = np.linspace(-40, 40, 1001, dtype=np.float32).reshape(7, 143)
    for values in (x, x.astype(np.float64), quantize(x, 0.2)):
        levels = quantize(values, 0.2, dtype)
        assert levels.dtype == dtype
        np.testing.assert_array_equal(levels, quantize(values, 0.2))
    with pytest.raises(ValueError, match="NaN"):
        quantize(np.array([np.nan]), 1.0, dtype)
