"""The launcher: places, counts, shared memory and barriers."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tinytorch.lab.gpu import cuda, launch

TILE = 4


def naive_matmul(A, B, C):
    j, i = cuda.grid(2)
    if i < C.shape[0] and j < C.shape[1]:
        total = np.float32(0)
        for p in range(A.shape[1]):
            total += A[i, p] * B[p, j]
        C[i, j] = total


def tiled_matmul(A, B, C):
    a = cuda.shared.array((TILE, TILE), np.float32)
    b = cuda.shared.array((TILE, TILE), np.float32)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    j, i = cuda.grid(2)
    total = np.float32(0)
    for p in range(0, A.shape[1], TILE):
        a[y, x] = A[i, p + x] if i < A.shape[0] and p + x < A.shape[1] else np.float32(0)
        b[y, x] = B[p + y, j] if p + y < B.shape[0] and j < B.shape[1] else np.float32(0)
        cuda.syncthreads()
        for q in range(TILE):
            total += a[y, q] * b[q, x]
        cuda.syncthreads()
    if i < C.shape[0] and j < C.shape[1]:
        C[i, j] = total


def run(kernel, m, k, n):
    rng = np.random.default_rng(0)
    A = rng.integers(-4, 5, (m, k)).astype(np.float32)
    B = rng.integers(-4, 5, (k, n)).astype(np.float32)
    C = np.full((m, n), np.nan, np.float32)
    counts = launch(kernel, (-(-n // TILE), -(-m // TILE)), (TILE, TILE), A, B, C)
    np.testing.assert_array_equal(C, A @ B)
    return counts


@pytest.mark.parametrize("kernel", [naive_matmul, tiled_matmul])
@pytest.mark.parametrize("shape", [(8, 8, 8), (5, 9, 6), (1, 1, 1), (2, 0, 3)])
def test_products_are_right(kernel, shape):
    run(kernel, *shape)


def test_tiling_divides_the_global_reads_by_the_tile_width():
    naive, tiled = run(naive_matmul, 8, 8, 8), run(tiled_matmul, 8, 8, 8)
    assert naive["global reads"].total() == 2 * 8**3 == TILE * tiled["global reads"].total()
    assert naive["global writes"].total() == tiled["global writes"].total() == 8**2
    assert (naive["shared reads"].total(), tiled["shared reads"].total()) == (0, 2 * 8**3)


def test_each_thread_is_counted_by_itself():
    counts = run(naive_matmul, 8, 8, 8)["global reads"]
    assert len(counts) == 64 and set(counts.values()) == {16}


def test_threads_know_their_place():
    def places(out):
        out[cuda.grid(1)] = 100 * cuda.blockIdx.x + 10 * cuda.blockDim.x + cuda.threadIdx.x

    out = np.zeros(6, np.int64)
    launch(places, (2,), (3,), out)
    assert out.tolist() == [30, 31, 32, 130, 131, 132]


def test_a_forgotten_barrier_gives_the_same_wrong_answer_every_time():
    def reverse(x, out):
        shared = cuda.shared.array((4,), np.float32)
        t = cuda.threadIdx.x
        shared[t] = x[t]
        out[t] = shared[3 - t]

    x = np.arange(4, dtype=np.float32)
    for _ in range(2):
        out = np.zeros(4, np.float32)
        launch(reverse, (1,), (4,), x, out)
        np.testing.assert_array_equal(out, [np.nan, np.nan, 1, 0])


def test_shared_memory_belongs_to_one_block():
    def first_value(out):
        shared = cuda.shared.array((1,), np.int64)
        out[cuda.grid(1)] = shared[0]
        shared[0] = 7

    out = np.zeros(3, np.int64)
    launch(first_value, (3,), (1,), out)
    assert out.tolist() == [-1, -1, -1]


def test_a_barrier_in_a_branch_is_an_error():
    def branch(out):
        if cuda.threadIdx.x < 3:
            cuda.syncthreads()

    with pytest.raises(RuntimeError, match="only 3 of 8 threads"):
        launch(branch, (1,), (8,), np.zeros(1))


@pytest.mark.parametrize("shift", [-1, 1])
def test_an_element_outside_its_array_names_the_thread(shift):
    def beside(out, shift):
        out[cuda.grid(1) + shift] = 0

    with pytest.raises(IndexError, match=r"thread .* of block .* shape \(4,\)"):
        launch(beside, (1,), (4,), np.zeros(4), shift)


def test_without_a_gpu_nothing_is_launched():
    code = (
        "import numpy as np, test_gpu\n"
        "from tinytorch.lab.gpu import launch_on_gpu\n"
        "C = np.zeros((2, 2), np.float32)\n"
        "ran = launch_on_gpu(test_gpu.naive_matmul, (1, 1), (4, 4), C + 1, C + 1, C)\n"
        "assert ran == bool(C.any())\n"
    )
    _run_python(code)


def test_the_same_source_runs_under_numba_cuda():
    pytest.importorskip("numba.cuda.simulator")
    code = (
        "import numpy as np, test_gpu\n"
        "from tinytorch.lab.gpu import launch_on_gpu\n"
        "A, B = np.random.default_rng(0).integers(-4, 5, (2, 6, 6)).astype(np.float32)\n"
        "for kernel in (test_gpu.naive_matmul, test_gpu.tiled_matmul):\n"
        "    C = np.zeros((6, 6), np.float32)\n"
        "    assert launch_on_gpu(kernel, (2, 2), (4, 4), A, B, C)\n"
        "    np.testing.assert_array_equal(C, A @ B)\n"
    )
    _run_python(code, NUMBA_ENABLE_CUDASIM="1")


def _run_python(code: str, **variables: str) -> None:
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    environment = os.environ | variables | {"PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
