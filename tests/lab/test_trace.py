"""The memory trace: what of a kernel it sees, in every style, and what it leaves as it was."""

import copy
import pickle
from functools import partial

import matrix_products as products
import numba
import numpy as np
import pytest

from tinytorch.core import kernels, tensor
from tinytorch.core.tensor import Tensor, as_array
from tinytorch.lab.trace import Trace, trace, working_set

LOOPS = [
    products.ijk,
    products.sum_in_a_variable,
    products.ikj,
    products.blocked_loops,
]
TILES = [
    kernels.cache_friendly_matmul,
    products.tiles_at,
    products.tiles_dot,
    products.tiles_method_dot,
    products.tiles_einsum,
    products.tiles_out,
    products.tiles_transposed,
    products.tiles_of_copies,
    products.tiles_packed,
    products.recursive,
]
NOT_BLOCKED = [
    kernels.matmul_baseline,
    products.whole,
    products.whole_of_copies,
    products.whole_einsum,
    products.row_by_row,
    products.outer_products,
]
COMPILED_LOOPS = numba.njit(products.blocked_loops)


def matrices(m=32, k=32, n=32):
    rng = np.random.default_rng(5)
    return [rng.integers(-4, 5, shape).astype(np.float32) for shape in ((m, k), (k, n))]


def values(result):
    return result.data if isinstance(result, Tensor) else result


@pytest.mark.parametrize("kernel", LOOPS)
def test_loops_give_every_access_in_order(kernel):
    A, B = matrices(2, 2, 2)
    seen = trace(kernel, A, B)
    np.testing.assert_array_equal(seen.result, A @ B)
    assert list(seen.arrays) == ["A", "B", "C"] and not seen.steps
    assert seen.counts["B"] == (8, 0)
    assert seen.counts["A"] == ((4, 0) if kernel is products.ikj else (8, 0))
    assert seen.counts["C"] == ((0, 4) if kernel is products.sum_in_a_variable else (8, 8))


def test_the_order_is_that_of_the_loop():
    seen = trace(products.ijk, *matrices(1, 2, 2))
    names = [list(seen.arrays)[i] for i in seen.ids]
    assert "".join(names) == "CABC" * 4
    assert seen.only("A").elements.tolist() == [0, 1, 0, 1]
    assert seen.only("B").elements.tolist() == [0, 2, 1, 3]
    assert seen.writes.tolist() == [False, False, False, True] * 4


@pytest.mark.parametrize("kernel", [*TILES, products.tiles_compiled])
@pytest.mark.parametrize("wrap", [np.asarray, Tensor])
def test_tiles_are_seen_in_every_style_and_stay_within_the_contract(kernel, wrap):
    A, B = matrices(20, 17, 23)
    seen = trace(kernel, wrap(A), wrap(B), 8)
    np.testing.assert_array_equal(values(seen.result), A @ B)
    assert type(values(seen.result)) is np.ndarray
    if kernel is not products.tiles_compiled:
        assert {s.name for s in seen.steps} & {"matmul", "dot", "einsum", "c_einsum"}
    assert seen.counts["A"][0] >= A.size and seen.counts["B"][0] >= B.size
    assert seen.counts["A"][1] == seen.counts["B"][1] == 0
    sizes = working_set(seen)
    copying = [step.kind == "copy" for step in seen.steps]
    assert sizes[~np.array(copying, bool)].max(initial=0) <= 3 * 8**2
    if kernel is not products.tiles_of_copies:
        assert sizes.max(initial=0) <= 3 * 8**2


@pytest.mark.parametrize("kernel", NOT_BLOCKED)
def test_a_product_that_is_not_blocked_breaks_the_contract(kernel):
    A, B = matrices()
    seen = trace(kernel, Tensor(A), B)
    np.testing.assert_array_equal(values(seen.result), A @ B)
    assert working_set(seen).max() >= 32 * 32 > 3 * 8**2


@pytest.mark.parametrize("kernel", [products.tiles_compiled, partial(COMPILED_LOOPS, block_size=8)])
def test_compiled_answers_are_traced_as_python(kernel):
    A, B = matrices(16, 16, 16)
    seen = trace(kernel, A, B)
    np.testing.assert_array_equal(values(seen.result), A @ B)
    assert seen.counts == {"A": (16**3, 0), "B": (16**3, 0), "C": (16**3, 16**3)}
    assert working_set(seen, window=4 * 8**3).max() == 3 * 8**2
    assert hasattr(products.add_tile, "py_func"), "the compiled function was not put back"


def test_what_has_no_python_form_says_so_and_is_put_back():
    before = kernels._multiply_into
    with pytest.raises(NotImplementedError, match="not usable in pure-python"):
        trace(kernels.compiled_matmul, *matrices(80, 80, 80))  # smaller ones go to NumPy
    assert kernels._multiply_into is before


def test_scalar_loops_without_blocks_touch_more_in_a_window():
    seen = trace(products.ijk, *matrices())
    assert working_set(seen, window=4 * 8**3).max() > 3 * 8**2


def test_a_slice_is_read_in_row_major_order_where_it_is_used():
    def kernel(A):
        tile = A[1:3, 1:3]
        half = A.T
        return tile + half[:2, :2]

    seen = trace(kernel, np.arange(9.0).reshape(3, 3))
    (step,) = seen.steps
    assert step == ("add", "elementwise", 0, 12)
    pairs = seen.only("A").elements.reshape(4, 2)
    assert pairs.tolist() == [[4, 0], [5, 3], [7, 1], [8, 4]]
    assert seen.only("C").writes.all()


def test_memory_order_is_the_arguments_own():
    def column(A):
        return A[:, 0].sum()

    A = np.zeros((3, 4))
    assert trace(column, A).elements.tolist() == [0, 4, 8]
    assert trace(column, np.asfortranarray(A)).elements.tolist() == [0, 1, 2]
    assert trace(column, np.asfortranarray(A)).per_element("A")[:, 0].tolist() == [1, 1, 1]


def test_an_array_written_in_place_is_seen_and_keeps_what_was_written():
    def double(x, out):
        for i in range(len(x)):
            out[i] = 2 * x[i]

    out = np.zeros(3)
    seen = trace(double, np.arange(3.0), out)
    assert out.tolist() == [0, 2, 4]
    assert seen.counts == {"x": (3, 0), "out": (0, 3)}
    assert seen.result is None


def test_a_read_only_argument_stays_read_only():
    def spoil(x):
        x[0] = 1

    x = np.zeros(3)
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        trace(spoil, x)


def test_what_is_allocated_elsewhere_is_seen_once_it_meets_a_traced_array():
    def kernel(A):
        C = np.identity(3)
        C += A
        return C

    seen = trace(kernel, np.ones((3, 3)))
    assert seen.counts == {"A": (9, 0), "C": (9, 9)}


def test_temporaries_share_the_memory_that_was_freed():
    seen = trace(products.tiles_at, *matrices(), 8)
    assert seen.counts["workspace"] == (4096, 4096)
    assert np.unique(seen.only("workspace").elements).size == 64


def test_a_result_that_is_part_of_a_larger_array_keeps_its_places():
    def padded(A):
        C = np.zeros((4, 4))
        C[1:3, 1:3] = A
        return C[1:3, 1:3].T

    seen = trace(padded, np.ones((2, 2)))
    assert seen.per_element("C").tolist() == [[1, 1], [1, 1]]
    assert seen.only("C").elements.tolist() == [5, 6, 9, 10]


def test_a_dict_of_results_is_named_by_its_keys():
    x, y = np.arange(6.0), np.ones(6)
    seen = trace(kernels.vectorized_operations, x, y)
    assert {"x", "y", "multiply", "add", "squared_diff"} == set(seen.arrays)
    assert all(type(t.data) is np.ndarray for t in seen.result.values())
    np.testing.assert_array_equal(seen.result["squared_diff"].data, (x - y) ** 2)


@pytest.mark.parametrize(
    ("use", "reads"),
    [
        (lambda x: x[2], 1),
        (lambda x: x[-1], 1),
        (lambda x: x[np.int64(2)], 1),
        (lambda x: x[[0, 2]], 2),
        (lambda x: x[x > 3], 8),  # all for the comparison, two of them picked
        (lambda x: x[..., 1] + 0, 1),
        (lambda x: [v for v in x], 6),
        (lambda x: x.tolist(), 6),
        (lambda x: x.item(2), 6),
        (lambda x: sum(x.flat), 6),
        (lambda x: x.sum(), 6),
        (lambda x: np.sum(x), 6),
        (lambda x: x.max(), 6),
        (lambda x: x.argmax(), 6),
        (lambda x: x.clip(0, 1), 6),
        (lambda x: np.maximum(x, 0), 6),
        (lambda x: np.where(x > 0, x, 0), 12),
        (lambda x: np.concatenate([x, x]), 12),
        (lambda x: np.copyto(np.zeros(6), x), 6),
        (lambda x: np.sort(x), 6),
        (lambda x: x.copy(), 6),
        (lambda x: copy.deepcopy(x), 6),
        (lambda x: x.astype(np.int8), 6),
        (lambda x: x.ravel() + 0, 6),
        (lambda x: np.add.reduce(x), 6),
        (lambda x: np.array(x, copy=True), 6),
        (lambda x: x.shape, 0),
        (lambda x: x.T, 0),
        (lambda x: x[1:3], 0),
        (lambda x: x.reshape(2, 3)[1:], 0),
        (lambda x: np.array_split(x, 3)[1] + 1, 2),
        (lambda x: np.asarray(x), 0),
        (lambda x: np.empty_like(x), 0),
        (lambda x: (np.result_type(x), repr(x), str(x)), 0),
        (lambda x: np.lib.stride_tricks.sliding_window_view(x, 3)[0] + 0, 3),
    ],
)
def test_reads_are_counted_where_elements_are_used(use, reads):
    seen = trace(use, np.arange(6.0), names=["x"])
    assert seen.counts["x"][0] == reads


@pytest.mark.parametrize("fill", [
    lambda C: C.fill(1), lambda C: np.copyto(C, 1), lambda C: C.__setitem__(slice(None), 1),
    lambda C: C.__setitem__([0, 1, 2], 1), lambda C: np.add(1, 0, out=C),
    lambda C: np.dot(np.eye(3), np.ones(3), C), lambda C: np.put(C, [0, 1, 2], 1),
])  # fmt: skip
def test_writes_are_counted(fill):
    C = np.zeros(3)
    assert trace(fill, C, names=["C"]).counts["C"] == (0, 3)
    assert C.tolist() == [1, 1, 1]


def test_names_are_the_parameters_or_those_given():
    def kernel(left, scale, right):
        return left[0] * right[0] * scale

    x = np.ones(2)
    assert list(trace(kernel, x, 2.0, right=x).arrays) == ["left", "right"]
    assert list(trace(lambda *xs: xs[0][0], x, x).arrays) == ["A", "B"]
    assert trace(kernel, x, 2.0, x, names=["p", "q"]).counts == {"p": (1, 0), "q": (1, 0)}


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: trace(3, np.ones(2)), TypeError, "needs a function to run, got int"),
        (lambda: trace(len, [1, 2]), TypeError, "ndarray or a Tensor among the arguments, got li"),
        (lambda: trace(len), TypeError, "got nothing"),
        (lambda: trace(len, np.ones(2), names=["A", "B"]), ValueError, "name 1 arrays, got 2"),
        (lambda: trace(np.add, *np.ones((2, 2)), names=["A", "A"]), ValueError, "must differ"),
        (lambda: trace(len, np.ones(2)).only("D"), ValueError, "no 'D', only"),
        (lambda: working_set(trace(len, np.ones(2)), window=0), ValueError, "window"),
        (lambda: Trace.from_accesses({"A": (2,)}, [("B", 0)]), ValueError, "'B'"),
        (lambda: Trace.from_accesses({"A": (2,)}, [("A", 2)]), ValueError, "2 elements"),
    ],
)
def test_bad_input_is_refused_in_words(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_everything_is_put_back_after_an_error():
    def fail(A):
        kept.append(as_array(A))
        A[0] = 7
        raise ZeroDivisionError

    kept, A, before = [], np.zeros(3), vars(tensor)["np"]
    with pytest.raises(ZeroDivisionError):
        trace(fail, A)
    assert vars(tensor)["np"] is before is np and A[0] == 7
    left = kept[0]  # an array that outlives its trace is an array like any other
    assert (left + 1).tolist() == [8, 1, 1] and left[0] == 7
    assert type(as_array(left)) is np.ndarray
    assert pickle.loads(pickle.dumps(left)).tolist() == [7, 0, 0]


def test_an_array_that_no_trace_reaches_is_named():
    def hidden(A, B):
        return memoryview(A)[0] + B[0]

    assert trace(hidden, np.ones(2), np.ones(2)).untouched == ["A"]


def test_threads_are_seen_too():
    x = np.ones(200_000, np.float32)
    seen = trace(kernels.parallel_relu, x, 2)
    assert seen.counts["x"] == (x.size, 0) and seen.counts["C"] == (0, x.size)


def test_two_runs_give_the_same_trace():
    first, second = (trace(products.tiles_out, *matrices()) for _ in range(2))
    assert first.steps == second.steps
    np.testing.assert_array_equal(first.elements, second.elements)
    np.testing.assert_array_equal(first.ids, second.ids)


def test_the_traced_kernel_may_have_no_elements():
    assert (
        trace(kernels.cache_friendly_matmul, np.ones((0, 3)), np.ones((3, 2))).counts["B"][1] == 0
    )


def test_a_trace_by_hand():
    seen = Trace.from_accesses({"A": (2, 2), "C": (2,)}, [("A", [0, 1]), ("C", 1, True)])
    assert seen.counts == {"A": (2, 0), "C": (0, 1)}
    assert len(seen) == 3 and working_set(seen).tolist() == [2]
    assert working_set(seen, window=2).tolist() == [2, 1]
    assert seen.per_element("A").tolist() == [[1, 1], [0, 0]]


def test_only_keeps_the_steps_that_remain():
    seen = Trace.from_accesses(
        {"A": (4,), "B": (4,)}, [("A", [0, 1]), ("B", [0, 1, 2]), ("A", [3])]
    )
    kept = seen.only("A")
    assert kept.elements.tolist() == [0, 1, 3]
    assert [(s.start, s.stop) for s in kept.steps] == [(0, 2), (2, 3)]
