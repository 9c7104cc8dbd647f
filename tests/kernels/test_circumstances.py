"""The kernels where something is missing: no compiler, no cache, one thread; and many callers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

USE = """
import numpy as np
from tinytorch.core import kernels
from tinytorch.core.compression import prune_magnitude, to_sparse
rng = np.random.default_rng(0)
x = rng.standard_normal((150, 130), dtype=np.float32)
W = prune_magnitude(rng.standard_normal((130, 140), dtype=np.float32), 0.9)
b = rng.standard_normal(140, dtype=np.float32)
q, p = rng.integers(-128, 128, (2, 130, 130)).astype(np.int8)
S = to_sparse(W)

def use():
    close = dict(rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(kernels.compiled_relu(x).data, np.maximum(x, 0))
    np.testing.assert_allclose(kernels.compiled_matmul(x, W, 2).data, x @ W, **close)
    layer = np.maximum(x @ W + b, 0)
    np.testing.assert_allclose(kernels.fused_linear_relu(x, W, b, 2).data, layer, **close)
    for weights in (W, S):
        np.testing.assert_allclose(kernels.sparse_matmul(x, weights).data, x @ W, **close)
    exact = (q.astype(np.int64) @ p).astype(np.float32)
    np.testing.assert_array_equal(kernels.compiled_quantized_matmul(q, p).data, exact)
    np.testing.assert_array_equal(kernels.quantized_matmul(q, p).data, exact)
    np.testing.assert_array_equal(kernels.quantized_relu(q, 1.0).data, np.maximum(q, 0))
"""
ONCE = USE + "use()\nprint('right')"
AT_ONCE = (
    USE
    + """
from concurrent.futures import ThreadPoolExecutor
import numba, threading
start = threading.Barrier(8)

def together():
    start.wait()
    for _ in range(20):
        use()

with ThreadPoolExecutor(8) as pool:
    for done in [pool.submit(together) for _ in range(8)]:
        done.result()
print('right')
"""
)


def run(code: str, **variables: str) -> None:
    """Run code in a fresh process; it must print "right" and nothing else, anywhere."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "right\n", "")


def test_without_compilation_numpy_does_the_work():
    run(ONCE, NUMBA_DISABLE_JIT="1")


def test_with_one_thread():
    run(ONCE, NUMBA_NUM_THREADS="1")


def test_without_a_c_compiler():
    run(ONCE, PATH="", CC="/nowhere/cc", CXX="/nowhere/c++")


def test_for_a_processor_without_vector_extensions():
    run(ONCE, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")


@pytest.mark.parametrize("layer", ["workqueue", "omp", "tbb"])
def test_several_threads_call_compiled_kernels_at_once(layer):
    run(AT_ONCE, NUMBA_THREADING_LAYER=layer)


def test_importing_compiles_nothing_and_starts_no_thread():
    code = (
        "import sys, threading\n"
        "from tinytorch.core import kernels\n"
        "from numba.core.registry import CPUDispatcher\n"
        "functions = [f for m in list(sys.modules.values()) for f in vars(m).values()\n"
        "             if isinstance(f, CPUDispatcher) and f.__module__.startswith('tinytorch')]\n"
        "assert functions and not any(f.signatures for f in functions)\n"
        "assert threading.active_count() == 1\n"
        "print('right')"
    )
    run(code)


def test_a_second_start_compiles_none_of_the_kernels(tmp_path: Path):
    count = ONCE + (
        "\nfrom numba.core.registry import CPUDispatcher\nimport sys\n"
        "print(sum(sum(f.stats.cache_misses.values()) for m in list(sys.modules.values())\n"
        "      for f in list(vars(m).values()) if isinstance(f, CPUDispatcher)\n"
        "      and f.__module__.startswith('tinytorch') and f.stats.cache_path))"
    )
    results = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", count],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        results.append(int(done.stdout.split()[-1]))
    assert results[0] > 0 and results[1] == 0
