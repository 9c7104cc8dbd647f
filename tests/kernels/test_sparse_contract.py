"""The contract of sparse_matmul."""

import os
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_inputs import matrices

from tinytorch.core.compression import prune_magnitude, to_sparse
from tinytorch.core.kernels import sparse_matmul
from tinytorch.core.tensor import Tensor


def pruned(rng, k, n, dtype=np.float32):
    """A tenth of small whole numbers, so that every sum is exact."""
    W = rng.integers(-4, 5, (k, n)) * (rng.random((k, n)) < 0.1)
    return W.astype(dtype)


@given(pair=matrices(), workers=st.sampled_from([None, 1, 3]))
def test_product_equals_numpy_for_any_shape_dtype_and_order(pair, workers):
    A, W = pair
    kept, S = (A.copy(), W.copy()), to_sparse(W)
    for weights in (W, S):
        got = sparse_matmul(A, weights, num_workers=workers)
        assert type(got) is Tensor
        assert got.data.dtype == np.result_type(A, W)
        np.testing.assert_array_equal(got.data, A @ W)
    np.testing.assert_array_equal(A, kept[0])
    np.testing.assert_array_equal(W, kept[1])
    np.testing.assert_array_equal(S.to_dense(), kept[1])


# Several batches, more than one piece of W's rows, ragged columns, threads for both.
@pytest.mark.parametrize("shape", [(130, 70, 45), (3, 9001, 37), (2100, 60, 700), (40, 300, 9000)])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_large_products_are_whole(shape, workers):
    m, k, n = shape
    rng = np.random.default_rng(0)
    A, W = rng.integers(-4, 5, (m, k)).astype(np.float32), pruned(rng, k, n)
    for weights in (W, to_sparse(W)):
        np.testing.assert_array_equal(sparse_matmul(A, weights, workers).data, A @ W)


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f8", "f4"), ("f4", "i1"), ("i4", "f8")])
def test_mixed_dtypes_have_the_result_type_all_the_way(dtypes):
    rng = np.random.default_rng(1)
    A = rng.integers(-4, 5, (5, 40)).astype(dtypes[0])
    W = pruned(rng, 40, 9, dtypes[1])
    got = sparse_matmul(A, to_sparse(W)).data
    assert got.dtype == np.result_type(A, W)
    np.testing.assert_array_equal(got, A @ W)


def test_float64_sums_are_float64():
    rng = np.random.default_rng(2)
    A, W = rng.standard_normal((70, 500)), prune_magnitude(rng.standard_normal((500, 60)), 0.9)
    np.testing.assert_allclose(sparse_matmul(A, to_sparse(W)).data, A @ W, rtol=0, atol=1e-12)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["A", "W"])
def test_special_values_meet_the_zeros_too(special, where):
    rng = np.random.default_rng(3)
    A, W = rng.integers(-4, 5, (70, 5000)).astype(np.float32), pruned(rng, 5000, 40)
    if where == "A":
        A[66, 4500] = special
    else:
        W[4500, 3] = special
    np.testing.assert_array_equal(sparse_matmul(A, to_sparse(W)).data, A @ W)


@pytest.mark.parametrize(
    "shapes", [((2, 3), (4, 5)), ((3,), (3, 2)), ((2, 2, 3), (3, 2)), ((), (1, 1)), ((2, 3), (3,))]
)
def test_shapes_that_do_not_fit_are_named(shapes):
    A, W = np.ones(shapes[0]), np.ones(shapes[1])
    for weights in (W, to_sparse(W)) if W.ndim == 2 else (W,):
        with pytest.raises(ValueError) as error:
            sparse_matmul(A, weights)
        assert str(shapes[0]) in str(error.value) and str(shapes[1]) in str(error.value)


@pytest.mark.parametrize("bad", ["ab", None, [["x"]], [[1j]]])
def test_what_is_no_number_is_refused(bad):
    for arguments in ((bad, [[1.0]]), ([[1.0]], bad), (bad, to_sparse([[1.0]]))):
        with pytest.raises(TypeError):
            sparse_matmul(*arguments)


@pytest.mark.parametrize("bad", [0, -1, 2.5])
def test_workers_below_one_are_refused(bad):
    for dtype in (np.float32, np.int8):
        with pytest.raises(ValueError, match="num_workers"):
            sparse_matmul(np.ones((2, 2), dtype), np.ones((2, 2), dtype), num_workers=bad)


@pytest.mark.parametrize("dtype", [np.float32, np.int8])
@pytest.mark.parametrize("shape", [(64, 3000, 3000), (3000, 3000, 40), (2, 300_000, 20)])
def test_the_workspace_is_bounded(shape, dtype):
    m, k, n = shape
    A, W = np.zeros((m, k), dtype), np.zeros((k, n), dtype)
    A[:, 0], W[0], W[-1] = 1, 1, 1
    for weights in (W, to_sparse(W)):
        sparse_matmul(A[:1], weights)  # what is compiled or started once is no workspace
        tracemalloc.start()
        try:
            out = sparse_matmul(A, weights)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak - out.data.nbytes < 64 * 2**20
        assert out.data.min() == out.data.max() == 1


def test_threads_may_call_it_at_the_same_time():
    rng = np.random.default_rng(4)
    A, W = rng.integers(-4, 5, (200, 600)).astype(np.float32), pruned(rng, 600, 700)
    S, results = to_sparse(W), [None] * 6

    def call(at):
        results[at] = sparse_matmul(A, S).data

    threads = [threading.Thread(target=call, args=(at,)) for at in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, A @ W)


def test_it_works_without_a_compiler():
    code = (
        "import numpy as np\n"
        "from tinytorch.core.compression import to_sparse\n"
        "from tinytorch.core.kernels import sparse_matmul\n"
        "A, W = np.ones((3, 5000), np.float32), np.eye(5000, 4, dtype=np.float32)\n"
        "assert (sparse_matmul(A, to_sparse(W)).data == 1).all()\n"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
