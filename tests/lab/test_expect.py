"""The lesson's assertions: what they accept, and what they say when they do not."""

import numpy as np
import pytest

from tinytorch.core.tensor import Tensor
from tinytorch.lab.expect import (
    SEED,
    LessonNames,
    attempt,
    expect_error,
    expect_tensor,
    expect_unchanged,
    expect_values,
    instances,
)

X = np.array([1.0, np.nan, 3.0], dtype=np.float32)


def same(value):
    return value


def as_tensor(value):
    return Tensor(value)


def refuse(value):
    raise ValueError(f"got {value}")


def stub(*_):
    raise NotImplementedError("relu is not written yet")


def test_an_equal_tensor_passes_nan_included():
    expect_tensor(as_tensor, X, gives=X, cause="unused")
    expect_values(same, X, gives=X.astype(np.float64), cause="unused")


@pytest.mark.parametrize(
    ("got", "says"),
    [
        (X, "got a ndarray, expected a Tensor"),
        (None, "got None, expected a Tensor: is the return missing"),
        (Tensor(X[:2]), r"got shape \(2,\), expected \(3,\)"),
        (Tensor(X.astype(np.float64)), "got dtype float64, expected float32"),
        (Tensor(np.float32([1, 2, 3])), r"got \[1.0, 2.0, 3.0\], expected \[1.0, nan, 3.0\]: why"),
    ],
    ids=["no Tensor", "None", "shape", "dtype", "values"],
)
def test_every_difference_is_named_with_what_was_tried_and_the_likely_cause(got, says):
    def kernel(x, scale):
        return got

    with pytest.raises(AssertionError, match=says) as raised:
        expect_tensor(kernel, np.float32([7]), scale=2, gives=X, cause="why")
    assert str(raised.value).startswith("tried kernel([7.0] (float32), scale=2): ")


def test_values_may_come_in_any_dtype_and_without_a_tensor_but_not_as_something_else():
    expect_values(same, np.arange(3), gives=np.arange(3.0), cause="why")
    with pytest.raises(AssertionError, match=r"got \[1, 2\], expected .*: why"):
        expect_values(same, [1, 2], gives=np.array([1, 2]), cause="why")


def test_a_dict_is_compared_key_by_key():
    got = {"add": Tensor(X), "multiply": Tensor(X)}
    expect_tensor(same, got, gives={"multiply": X, "add": X}, cause="why")
    for wrong, says in [
        ({"add": Tensor(X)}, "got the keys"),
        (Tensor(X), "got a Tensor, expected a dict"),
        (got | {"add": Tensor(X + 1)}, r"\['add'\]: got \[2.0, nan, 4.0\]"),
    ]:
        with pytest.raises(AssertionError, match=says):
            expect_tensor(same, wrong, gives={"multiply": X, "add": X}, cause="why")


def test_of_a_large_array_the_first_difference_and_their_number_are_shown():
    expected = np.zeros((30, 30))
    got = expected.copy()
    got[7, 3] = got[20, 20] = 5
    with pytest.raises(AssertionError, match=r"at \[7, 3\] got 5.0, expected 0.0 \(2 of 900"):
        expect_tensor(as_tensor, got, gives=expected, cause="why")


def test_tolerances_bound_the_difference():
    close = np.array([1.0 + 1e-7])
    expect_tensor(as_tensor, close, gives=np.array([1.0]), cause="why", rtol=1e-6)
    with pytest.raises(AssertionError):
        expect_tensor(as_tensor, close, gives=np.array([1.0]), cause="why")


def test_what_a_call_raises_is_said_with_what_was_tried():
    for expect in (expect_tensor, expect_values):
        with pytest.raises(AssertionError, match=r"tried refuse\(7\): got ValueError: got 7, exp"):
            expect(refuse, 7, gives=X, cause="why")
    with pytest.raises(AssertionError, match=r"tried refuse\(7\): got ValueError: got 7"):
        attempt(refuse, 7)
    assert attempt(same, 7) == 7


def test_calls_get_copies_with_the_same_strides_and_flags():
    def spoil(x, y):
        assert not x.flags.writeable and y.strides == view.strides
        y[:] = 0
        return x

    read_only, base = np.ones(3), np.arange(24.0).reshape(4, 6)
    read_only.flags.writeable = False
    view = base.T[::2]
    expect_values(spoil, read_only, view, gives=read_only, cause="why")
    assert np.array_equal(base, np.arange(24.0).reshape(4, 6))


def test_a_changed_input_is_named():
    def spoil(x, *, out):
        out.data[:1] = 9
        return x

    expect_unchanged(same, X)
    with pytest.raises(AssertionError, match=r"argument 2 was changed, got \[9.0, 2.0\]"):
        expect_unchanged(spoil, X, out=Tensor(np.array([1.0, 2.0])))


def test_the_expected_error_passes():
    expect_error(ValueError, refuse, 7, mentions=("7",), cause="why")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: 3, "got 3 and no error, expected ValueError: why"),
        (lambda: {}["x"], "got KeyError: 'x', expected ValueError: why"),
        (lambda: refuse("nothing"), "expected it to name 42"),
    ],
    ids=["no error", "another", "silent"],
)
def test_another_outcome_is_told_apart(call, says):
    with pytest.raises(AssertionError, match=says):
        expect_error(ValueError, call, mentions=("42",), cause="why")


@pytest.mark.parametrize("error", [ValueError, RuntimeError, Exception])
def test_a_stub_says_that_it_is_not_written(error):
    with pytest.raises(NotImplementedError, match="relu is not written yet"):
        expect_error(error, stub, cause="why")
    for expect in (expect_tensor, expect_values):
        with pytest.raises(NotImplementedError, match="relu is not written yet"):
            expect(stub, gives=X, cause="why")
    with pytest.raises(NotImplementedError, match="relu is not written yet"):
        attempt(stub)


def test_instances_are_the_same_for_a_seed_and_a_name_and_no_others(monkeypatch):
    def drawn(seed, name):
        monkeypatch.setenv(SEED, seed)
        return instances(name).integers(2**40)

    assert drawn("3", "relu") == drawn("3", "relu")
    assert len({drawn("3", "relu"), drawn("4", "relu"), drawn("3", "matmul")}) == 3
    monkeypatch.delenv(SEED)
    assert instances("relu").integers(2**40) == drawn("0", "relu")
    monkeypatch.setenv(SEED, "soon")
    with pytest.raises(ValueError, match="TINYTORCH_GRADING_SEED must be a whole number"):
        instances("relu")


def test_a_check_sees_the_lessons_names_the_builtins_and_the_newest_answer():
    space = {"np": np, "__name__": "__main__"}
    exec("def mine(): return 1", space)
    space["of_the_lesson"] = LessonNames(space)
    code = """
@of_the_lesson
def check(start=1):
    return [np.float32(start), str(answer()), max(2, 3), mine]

np, str, max = None, 4, 5
def answer(): return "first"
def mine(): return 2
"""
    exec(code, space)
    assert space["check"]() == [np.float32(1), "first", 3, space["mine"]]
    exec("def answer(): return 'second'", space)
    assert space["check"](start=2)[:2] == [np.float32(2), "second"]
    space["of_the_lesson"].add(answer=lambda: "kept")
    assert space["check"]()[1] == "kept"


def withheld(kind):
    def call(_):
        error = kind()
        error.withheld = "the hidden input is 42"
        raise error

    return call


@pytest.mark.parametrize("kind", [ValueError, KeyError, AssertionError, NotImplementedError])
def test_what_an_answer_says_is_withheld_where_it_might_tell_a_hidden_test(kind):
    expected = NotImplementedError if kind is NotImplementedError else AssertionError
    for check in (
        lambda call: expect_values(call, 7, gives=X, cause="why"),
        lambda call: expect_error(ValueError, call, 7, mentions=("seven",), cause="why"),
        lambda call: attempt(call, 7),
    ):
        with pytest.raises(expected) as raised:
            check(withheld(kind))
        assert kind.__name__ in str(raised.value) and "hidden input" not in str(raised.value)
        assert raised.value.__cause__ is None and raised.value.__suppress_context__


def test_a_withheld_error_may_name_what_it_must():
    expect_error(ValueError, withheld(ValueError), 7, mentions=("42",), cause="why")


@pytest.mark.parametrize(
    ("kernel", "says"),
    [
        (lambda x: matmull(x), "is a name misspelt"),  # noqa: F821
        (lambda x: x.data @ x.data, "as_array takes both"),
        (lambda x: x.reshape(7, 7), "does the answer take these arguments"),
    ],
    ids=["name", "memory of an array", "shape"],
)
def test_an_error_of_the_answers_ends_with_a_cause_of_its_kind(kernel, says):
    with pytest.raises(AssertionError, match=says):
        expect_values(kernel, np.eye(2), gives=np.eye(2), cause="unused")


def test_of_numbas_errors_the_line_is_kept_that_says_what_it_could_not_do():
    numba = pytest.importorskip("numba")

    @numba.njit
    def kernel(x):
        return max(x[0, 0], "zero")

    with pytest.raises(AssertionError, match="No implementation of function"):
        expect_values(kernel, np.eye(2), gives=np.eye(2), cause="unused")
