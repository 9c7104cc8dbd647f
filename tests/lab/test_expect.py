"""The lesson's assertions: what they accept, and what they say when they do not."""

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor
from tinytorch.lab.expect import expect_error, expect_tensor, expect_unchanged

X = np.array([1.0, np.nan, 3.0], dtype=np.float32)


def test_an_equal_tensor_passes_nan_included():
    expect_tensor(Tensor(X.copy()), X, "unused")


@pytest.mark.parametrize(
    ("got", "says"),
    [
        (X, "got ndarray, expected a Tensor"),
        (None, "got None, expected a Tensor: is the return missing"),
        (Tensor(X[:2]), r"got shape \(2,\), expected \(3,\)"),
        (Tensor(X.astype(np.float64)), "got dtype float64, expected float32"),
        (Tensor(np.float32([1, 2, 3])), r"got \[1.0, 2.0, 3.0\], expected \[1.0, nan, 3.0\]: why"),
    ],
)
def test_every_difference_is_named_with_its_likely_cause(got, says):
    with pytest.raises(AssertionError, match=says):
        expect_tensor(got, X, "why")


def test_of_a_large_array_the_first_difference_and_their_number_are_shown():
    expected = np.zeros((30, 30))
    got = expected.copy()
    got[7, 3] = got[20, 20] = 5
    with pytest.raises(AssertionError, match=r"at \[7, 3\] got 5.0, expected 0.0 \(2 of 900"):
        expect_tensor(Tensor(got), expected, "why")


def test_tolerances_hold_for_floats_only():
    expect_tensor(Tensor(np.array([1.0 + 1e-7])), np.array([1.0]), "why", rtol=1e-6)
    with pytest.raises(AssertionError):
        expect_tensor(Tensor(np.array([1.0 + 1e-7])), np.array([1.0]), "why")
    with pytest.raises(AssertionError):
        expect_tensor(Tensor(np.array([101])), np.array([100]), "why", rtol=1.0)


def test_a_changed_input_is_named():
    expect_unchanged(X, X.copy(), "x")
    with pytest.raises(AssertionError, match="x was changed"):
        expect_unchanged(np.array([0.0]), np.array([1.0]), "x")


def refuse(value):
    raise ValueError(f"got {value}")


def test_the_expected_error_passes():
    expect_error(ValueError, refuse, 7, mentions=("7",), cause="why")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: 3, "got 3 and no error, expected ValueError: why"),
        (lambda: {}["x"], "got KeyError: 'x', expected ValueError: why"),
        (lambda: refuse("nothing"), "expected it to name 42"),
    ],
)
def test_another_outcome_is_told_apart(call, says):
    with pytest.raises(AssertionError, match=says):
        expect_error(ValueError, call, mentions=("42",), cause="why")


def test_a_stub_says_that_it_is_not_written():
    def stub():
        raise NotImplementedError("relu is not written yet")

    for error in (ValueError, RuntimeError, Exception):
        with pytest.raises(NotImplementedError, match="relu is not written yet"):
            expect_error(error, stub, cause="why")
