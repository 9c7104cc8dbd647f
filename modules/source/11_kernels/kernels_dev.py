# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: nbgrader,tags,-all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Kernels: the same arithmetic, faster
#
# > Matrix products, ReLU, parallel and quantized kernels, and a profiler to measure them with.
#
# A kernel is the innermost piece of numerical code: the loop that a model spends its time in.
# Earlier modules asked *what* to compute. This one asks how a computer does it: which bytes
# move, which instructions run, which cores wait.
#
# Every step has the same three parts.
#
# | part | what you do |
# |---|---|
# | Build | write the kernel from its contract, and test it |
# | Use | guess what your machine will do with it, then measure |
# | Optimize | read from the picture what limits it, change one thing, and measure again |
#
# | step | kernels | hours |
# |---|---|---|
# | 1 Understanding custom operations | `matmul_baseline` | 1 |
# | 2 SIMD vectorization | `vectorized_relu`, `vectorized_operations` | 1.5 |
# | 3 Memory layout | `cache_friendly_matmul` | 2 |
# | 4 GPU-style parallel computing | `parallel_relu`, `parallel_batch_processing` | 2 |
# | 5 Performance profiling | `SimpleProfiler` | 1.5 |
# | 6 Compressed-model kernels | `quantized_matmul`, `quantized_relu` | 2 |
# | Expert part: compiled kernels | `compiled_relu`, `compiled_matmul`, `fused_linear_relu`, `sparse_matmul` | 3 |
#
# **How this notebook works.** Fill the cells that say `YOUR CODE HERE`, and run the test cell
# below each. Hidden tests run when the notebook is graded: odd shapes, other dtypes, bad
# arguments. Experiments are never graded. Each asks for a guess first; a wrong guess that you
# wrote down teaches more than a right one that you did not. No grade depends on how fast your
# machine is.
#
# **What all kernels share.** They take Tensors or anything that NumPy takes for an array, return
# new Tensors, and never change what they were given. A wrong argument raises `ValueError`, or
# `TypeError` where it is no number or no array, with the value received in the message. You have
# helpers for the dull part:
#
# | helper | what it does |
# |---|---|
# | `as_array(x)` | the ndarray inside a Tensor or array-like, not copied |
# | `matmul_operands(A, B)` | both arrays, once their shapes fit; else `ValueError` with both shapes |
# | `positive_int(name, value)` | the whole number, once it is at least 1; else an error with its name |
# | `check_scale(name, scale)` | the scale, once it is finite and above zero (step 6) |
# | `quantize(x, scale)`, `dequantize(q, scale)` | to int8 levels and back (step 6) |

# %% nbgrader={"grade": false, "grade_id": "setup_threads", "locked": true, "schema_version": 3, "solution": false, "task": false}
import os

# One BLAS thread: else a picture compares numbers of threads and not kernels. NumPy reads these
# variables once, when it is imported.
for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")

# %% nbgrader={"grade": false, "grade_id": "setup_export", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| default_exp core.kernels

# %% nbgrader={"grade": false, "grade_id": "setup_imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable
from concurrent import futures
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np

from tinytorch.core.compression import check_scale, dequantize, quantize, rescale
from tinytorch.core.layers import matmul, matmul_operands
from tinytorch.core.scratch import scratch
from tinytorch.core.tensor import ArrayLike, Tensor, as_array, positive_int, tensor_of

# %% nbgrader={"grade": false, "grade_id": "setup_checks", "locked": true, "schema_version": 3, "solution": false, "task": false}
from functools import partial
from types import SimpleNamespace

from tinytorch.lab.clock import expect_times, fake_clock
from tinytorch.lab.expect import (
    LessonNames,
    attempt,
    expect_error,
    expect_tensor,
    expect_unchanged,
    expect_values,
    instances,
)
from tinytorch.lab.mechanism import (
    expect_at_once,
    expect_no_loop,
    expect_shared_work,
    expect_tiles,
)
from tinytorch.lab.workloads import Allocate, FailWhileTracing, Observe, process_of

# The checks below use these names whatever yours are called.
of_the_lesson = LessonNames(globals())

# %% tags=["ungraded"]
from tinytorch.lab.block_sweep import measure_blocks
from tinytorch.lab.cache_ladder import cache_ladder
from tinytorch.lab.cache_ladder_plots import draw_cache_ladder
from tinytorch.lab.comparison import compare
from tinytorch.lab.digits_run import run_digits
from tinytorch.lab.gil import watch_lock
from tinytorch.lab.gil_plots import draw_lock
from tinytorch.lab.headroom_plots import digits_accuracy, headroom
from tinytorch.lab.ladder_plots import draw_ladder
from tinytorch.lab.machine import machine_report
from tinytorch.lab.machine_plots import draw_machine
from tinytorch.lab.measure import race
from tinytorch.lab.measuring import call_by_call, timer, tracing_cost
from tinytorch.lab.measuring_plots import first_calls, tracing_bars
from tinytorch.lab.plots import bars, histogram, lines
from tinytorch.lab.quantization import channel_errors, digits_by_bits, sweep_bits, sweep_scales
from tinytorch.lab.quantization_plots import bits_and_scale, channel_dots, scale_tradeoff
from tinytorch.lab.roofline import measure_roofline
from tinytorch.lab.roofline_plots import draw_roofline
from tinytorch.lab.scaling import measure_scaling
from tinytorch.lab.speed_ladder import measure_ladder
from tinytorch.lab.style import you_guessed
from tinytorch.lab.sweep_plots import draw_blocks, draw_scaling
from tinytorch.lab.trace import trace
from tinytorch.lab.trace_plots import access_film, miss_maps

rng = np.random.default_rng(0)

# %% [markdown]
# ## Your machine
#
# Two numbers bound every kernel that follows: how many operations a second the cores can do, and
# how many bytes a second memory delivers. Both are measured here, on this computer, and kept for a
# day.
#
# **Guess.** How many float32 operations can it do in the time in which one byte comes from memory,
# with all its cores at work?

# %%
my_guess = None  # float32 operations per byte


# %% tags=["ungraded"]
report = machine_report()  # fresh=True measures again
print("\n".join(report.lines()))
draw_machine(report, guess=my_guess)
if balance := report.balance():
    print(f"ReLU does one operation for 8 bytes. In their time, {8 * balance:.0f} would be done.")

# %% [markdown]
# A kernel that does fewer operations for each byte than this waits for memory, however well it is
# written.

# %% [markdown]
# ## Step 1. Understanding custom operations
#
# ### matmul_baseline
#
# **What limits it.** A product of two n by n matrices takes 2n³ operations on 3n² numbers. Every
# number can be used n times once it has been fetched, so the arithmetic, not the memory, should
# be the limit. Python spends far longer on finding out what to do next than on doing it; NumPy
# hands the whole product to a compiled library (BLAS).
#
# | n | numbers | operations | operations per number |
# |---|---|---|---|
# | 4 | 48 | 128 | 2.7 |
# | 64 | 12,288 | 524,288 | 42.7 |
# | 1,024 | 3,145,728 | 2,147,483,648 | 682.7 |
#
# The first kernel is the yardstick for all later ones: correct, plain, built on the `matmul` of
# the layers module. `matmul` takes Tensors or arrays, checks the shapes and returns an ndarray.
#
# **6 points**: main path 1, random instances 1, shapes 1, dtypes and inputs 1, errors 2.


# %% nbgrader={"grade": false, "grade_id": "matmul_baseline", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def matmul_baseline(A: ArrayLike, B: ArrayLike) -> Tensor:
    """Matrix product through the proven `matmul` of the layers module. About one line.

    A: (m, k), B: (k, n), Tensors or array-likes. Returns a new Tensor (m, n) of the dtype
    `np.result_type(A, B)`. Shapes that do not fit, or are not 2-D: ValueError with both shapes.

    >>> matmul_baseline([[1.0, 2.0]], [[3.0], [4.0]]).data
    array([[11.]], dtype=float32)
    """
    ### BEGIN SOLUTION
    return Tensor(matmul(A, B))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Everything but the type of the result is done by a function that is already imported.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Call `matmul` with A and B as they are (`A.data` is an array only if A is a Tensor). It returns
# an ndarray. Kernels return Tensors.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `Tensor(...)` around the call of `matmul`.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_matmul_baseline", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_matmul_baseline():
    A = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
    B = np.array([[1, 0], [0, 1], [2, -1]], dtype=np.float32)
    gives = np.array([[7, -1], [16, -1]], dtype=np.float32)
    cause = "is it the matrix product, rows of A with columns of B?"
    expect_tensor(matmul_baseline, Tensor(A), Tensor(B), gives=gives, cause=cause)
    cause = "arrays are welcome too, " + cause
    expect_tensor(matmul_baseline, A, B, gives=gives, cause=cause)


check_matmul_baseline()


# %% nbgrader={"grade": true, "grade_id": "test_matmul_baseline_hidden_values", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of matmul_baseline: products of random matrices.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_matmul_baseline_values():
    rng = instances("matmul_baseline values")
    for m, k, n in [(2, 2, 2), (3, 5, 4), (24, 25, 26), (60, 40, 50)]:
        A, B = rng.integers(-8, 9, (m, k)) / 4, rng.integers(-8, 9, (k, n)) / 4
        A, B = A.astype(np.float32), B.astype(np.float32)
        cause = f"shapes {(m, k)} and {(k, n)}: every row of A meets every column of B"
        expect_values(matmul_baseline, A, B, gives=A @ B, cause=cause)
        expect_values(matmul_baseline, Tensor(A), B.tolist(), gives=A @ B, cause=cause)


check_matmul_baseline_values()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_matmul_baseline_hidden_shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of matmul_baseline: one row, one column, nothing at all, views.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_matmul_baseline_shapes():
    rng = instances("matmul_baseline shapes")
    for m, k, n in [(1, 1, 1), (1, 3, 2), (4, 1, 3), (5, 2, 1), (3, 0, 2), (0, 4, 3)]:
        A, B = (rng.integers(-8, 9, s).astype(np.float32) for s in ((m, k), (k, n)))
        cause = f"shapes {(m, k)} and {(k, n)}: a sum over nothing is 0"
        expect_values(matmul_baseline, A, B, gives=A @ B, cause=cause)
    A, B = (rng.integers(-8, 9, s).astype(np.float32) for s in ((7, 9), (7, 8)))
    cause = "a transposed or reversed view is a matrix like any other"
    expect_values(matmul_baseline, A.T, B[:, ::2], gives=A.T @ B[:, ::2], cause=cause)


check_matmul_baseline_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_matmul_baseline_hidden_dtypes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of matmul_baseline: the dtype of the result, precision, inputs left alone.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_matmul_baseline_dtypes():
    rng = instances("matmul_baseline dtypes")
    dtypes = (np.float32, np.float64, np.int64)
    for left, right in [(a, b) for a in dtypes for b in dtypes]:
        A, B = rng.integers(-8, 9, (2, 3)).astype(left), rng.integers(-8, 9, (3, 2)).astype(right)
        cause = f"{A.dtype} with {B.dtype} gives {np.result_type(A, B)}"
        expect_tensor(matmul_baseline, A, B, gives=A @ B, cause=cause)
        expect_unchanged(matmul_baseline, A, B)
    A, B = rng.standard_normal((3, 40)), rng.standard_normal((40, 2))
    for dtype in (np.float32, np.float64):  # a result of A's shape and dtype is no reason to use A
        expect_unchanged(matmul_baseline, *np.ones((2, 3, 3), dtype))
    cause = "Python numbers become float32, as in Tensor"
    expect_tensor(
        matmul_baseline, [[1.0, 2.0]], [[3.0], [4.0]], gives=np.float32([[11]]), cause=cause
    )
    cause = "float64 in, float64 all the way"
    expect_tensor(matmul_baseline, A, B, gives=A @ B, cause=cause, rtol=1e-9, atol=1e-9)


check_matmul_baseline_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_matmul_baseline_hidden_errors", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of matmul_baseline: shapes that do not fit.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_matmul_baseline_errors():
    cause = "the inner dimensions differ, or an input is not 2-D: refuse it and name both shapes"
    shapes = [
        ((2, 3), (4, 5)),
        ((2, 3), (2, 3)),
        ((3,), (3, 2)),
        ((2, 3), (3,)),
        ((2, 2, 3), (3, 2)),
    ]
    for a, b in shapes:
        A, B = np.ones(a, np.float32), np.ones(b, np.float32)
        names = str(a), str(b)
        expect_error(ValueError, matmul_baseline, A, B, mentions=names, cause=cause)
        expect_error(ValueError, matmul_baseline, Tensor(A), Tensor(B), mentions=names, cause=cause)


check_matmul_baseline_errors()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** The next cell holds the same product as three Python loops. How many times faster is
# `matmul_baseline` for two 64 by 64 matrices? Write a number in place of `None`.

# %%
my_guess = None  # how many times faster than three Python loops, at n = 64?


# %% tags=["ungraded"]
def three_loops(A, B):
    m, k, n = len(A), len(B), len(B[0])
    C = [[0.0] * n for _ in range(m)]
    for i in range(m):
        for j in range(n):
            for p in range(k):
                C[i][j] += A[i][p] * B[p][j]
    return C


A, B = rng.random((2, 64, 64), dtype=np.float32)
lists = A.tolist(), B.tolist()
assert np.allclose(three_loops(*lists), matmul_baseline(A, B).data, rtol=1e-4)
times = race(
    {"three Python loops": lambda: three_loops(*lists), "yours": lambda: matmul_baseline(A, B)}
)
bars(times, "Product of two 64 by 64 matrices", guess=my_guess)

# %% [markdown]
# Both bars did the same 524,288 operations. The difference is not arithmetic: for each of them
# the interpreter looks up names, checks types, makes number objects and throws them away.
#
# **Optimize.** Move the loop over `p` outside the loop over `j` and keep `A[i][p]` in a variable.
# How much of the gap closes without leaving Python?


# %% tags=["ungraded"]
def test_matmul_baseline():
    check_matmul_baseline()
    print("Step 1: the visible tests pass.")


test_matmul_baseline()

# %% [markdown]
# ## Step 2. SIMD vectorization
#
# ### vectorized_relu
#
# **What limits it.** ReLU does one comparison for every element that it reads and writes. A SIMD
# instruction does it for 4, 8 or 16 float32 at once, which leaves the processor waiting for the
# bytes. Per float32 element:
#
# | | bytes moved | operations |
# |---|---|---|
# | ReLU | 8 (read and written) | 1 |
# | product of two 1,024 by 1,024 matrices | 4 (each of three matrices once) | 683 |
#
# To reach the SIMD loop at all, the loop over the elements has to run in compiled code. In NumPy
# that means: one call for the whole array, and no `for`.
#
# **6 points**: main path 1, random instances 1, shapes 1, dtypes and inputs 1, mechanism 2.


# %% nbgrader={"grade": false, "grade_id": "vectorized_relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def vectorized_relu(x: ArrayLike) -> Tensor:
    """max(x, 0) for every element, without a Python loop. About two lines.

    x: Tensor or array-like of any shape, 0-d and empty too. Returns a new Tensor of the same
    shape and dtype. NaN stays NaN, -inf becomes 0.

    >>> vectorized_relu([-2.0, 0.0, 3.0]).data
    array([0., 0., 3.], dtype=float32)
    """
    ### BEGIN SOLUTION
    values = as_array(x)
    if values.size > 10_000 and values.dtype in (np.float32, np.float64):
        # NumPy's loop for two constant bounds is in SIMD, maximum's for one constant is not: 1.5
        # times as fast for 100,000 float32. Beyond the caches, memory sets the speed of both.
        return Tensor(values.clip(0, np.inf))
    # A zero of the same dtype: with a Python 0, bool would become int64.
    return Tensor(np.maximum(values, values.dtype.type(0)))
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Which NumPy function takes two arguments and keeps the larger, element by element?
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# `as_array(x)` gives the ndarray inside a Tensor or an array-like. Compare it with a zero of its
# own dtype. `np.where(x > 0, x, 0)` looks alike, but a comparison with NaN is False.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `np.maximum(values, values.dtype.type(0))`, and a Tensor around it.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_relu", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_vectorized_relu():
    x = np.array([[-2.0, -0.5, 0.0], [0.5, 3.0, -1e-7]], dtype=np.float32)
    gives = np.array([[0, 0, 0], [0.5, 3.0, 0]], dtype=np.float32)
    cause = "is everything below zero set to zero, and nothing else?"
    expect_tensor(vectorized_relu, Tensor(x), gives=gives, cause=cause)
    x = np.array([np.nan, -np.inf, np.inf], dtype=np.float32)
    gives = np.array([np.nan, 0, np.inf], dtype=np.float32)
    cause = "a comparison with NaN is False, so np.where and x * (x > 0) lose or spread it"
    expect_tensor(vectorized_relu, x, gives=gives, cause=cause)


check_vectorized_relu()


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_relu_hidden_values", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_relu: random values, small ones, large ones, NaN and infinities.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_vectorized_relu_values():
    rng = instances("vectorized_relu values")
    for n in (3, 8, 300, 20_000):
        scale = 1.0 if n == 3 else 100.0 if n == 8 else 10.0 ** rng.integers(-30, 30)
        x = (rng.standard_normal(n) * scale).astype(np.float32)
        cause = "max(x, 0), element by element; no digit may be lost"
        expect_values(vectorized_relu, x, gives=np.maximum(x, 0), cause=cause)
        x[rng.integers(n)] = np.nan
        x[(x == x) & (x < 0)] = -np.inf
        cause = "NaN stays NaN, -inf becomes 0, and neither spreads"
        expect_values(vectorized_relu, x, gives=np.maximum(x, 0), cause=cause)


check_vectorized_relu_values()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_relu_hidden_shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_relu: any number of dimensions, no elements, views.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_vectorized_relu_shapes():
    rng = instances("vectorized_relu shapes")
    for shape in [(), (0,), (1,), (3, 0, 2), (2, 3, 2), (5, 7, 2, 3), (1000,)]:
        x = np.asarray(rng.standard_normal(shape), dtype=np.float32)
        cause = f"shape {shape}: the result has the same"
        expect_values(vectorized_relu, x, gives=np.maximum(x, 0), cause=cause)
    x = rng.standard_normal((6, 8)).astype(np.float32)
    for view in (x.T, x[::2, ::-1], np.asfortranarray(x)):
        cause = "a transposed, reversed or Fortran-ordered view is an array like any other"
        expect_values(vectorized_relu, view, gives=np.maximum(view, 0), cause=cause)


check_vectorized_relu_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_relu_hidden_dtypes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_relu: every dtype keeps its own, every digit, and its input.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_vectorized_relu_dtypes():
    rng = instances("vectorized_relu dtypes")
    for dtype in (np.float16, np.float32, np.float64, np.int8, np.int32, np.int64, np.uint8):
        for n in (4, 20_000):
            x = rng.integers(0 if dtype == np.uint8 else -9, 10, n).astype(dtype)
            gives = np.where(x > 0, x, 0).astype(dtype)
            cause = f"{x.dtype} in, {x.dtype} out"
            expect_tensor(vectorized_relu, x, gives=gives, cause=cause)
            expect_unchanged(vectorized_relu, x)
    cause = "Python numbers become float32, as in Tensor"
    expect_tensor(vectorized_relu, [-2.0, 3.0], gives=np.float32([0, 3]), cause=cause)
    x = np.array([2**40 + 1, -(2**40) - 1, 5])
    cause = "an int64 does not fit into a float32"
    expect_tensor(vectorized_relu, x, gives=np.array([2**40 + 1, 0, 5]), cause=cause)
    x = rng.standard_normal(5)
    cause = "float64 stays float64 all the way"
    expect_tensor(vectorized_relu, x, gives=np.maximum(x, 0), cause=cause)
    expect_unchanged(vectorized_relu, Tensor(x))


check_vectorized_relu_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_relu_hidden_mechanism", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_relu: Python lines run, for few and for many elements.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_vectorized_relu_mechanism():
    rng = instances("vectorized_relu mechanism")

    def matrix(n):
        return rng.standard_normal((n // 4, 4), dtype=np.float32)

    def gives(x):
        return np.maximum(as_array(x), 0)

    expect_no_loop(vectorized_relu, lambda n: (rng.standard_normal(n, dtype=np.float32),), gives)
    expect_no_loop(vectorized_relu, lambda n: (Tensor(matrix(n)),), gives)


check_vectorized_relu_mechanism()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** Time per element falls as the array grows, since the cost of the call is shared, and
# stops falling somewhere. At how many elements does one call of `vectorized_relu` reach half of
# its best speed?

# %%
my_guess = None  # elements


# %% tags=["ungraded"]
sizes = [10**e for e in range(1, 8)]
inputs = [rng.standard_normal(n, dtype=np.float32) for n in sizes]
times = race({n: partial(vectorized_relu, x) for n, x in zip(sizes, inputs, strict=True)})
per_element = [statistics.median(times[n]) / n * 1e9 for n in sizes]
half_speed = next(n for n, t in zip(sizes, per_element, strict=True) if t <= 2 * min(per_element))
lines(
    {"vectorized_relu": (sizes, per_element)},
    xlabel="elements",
    ylabel="nanoseconds per element",
    caption=f"Within twice the best time per element from {half_speed:,} elements on.",
    guess=my_guess,
)

# %% [markdown]
# To the left, the call costs more than the work. To the right, the array no longer fits a cache:
# every element comes from memory and goes back there, into pages that are new to the process.
#
# **Optimize.** Time `np.maximum(x, 0, out=out)` with an `out` made once beside it. The difference
# at the right end is what fresh memory costs.

# %% [markdown]
# ### vectorized_operations
#
# **What limits it.** Three elementwise results of two inputs, each its own pass. Every pass reads
# and writes whole arrays, and `(x - y)**2` writes the difference to memory only to read it back.
#
# | result | arrays read | arrays written |
# |---|---|---|
# | `multiply` | x, y | 1 |
# | `add` | x, y | 1 |
# | `squared_diff` | x, y, then the difference | the difference, then 1 |
#
# **8 points**: main path 1, random instances 1, shapes 1, dtypes and inputs 1, errors 2, mechanism
# 2.


# %% nbgrader={"grade": false, "grade_id": "vectorized_operations", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def vectorized_operations(x: ArrayLike, y: ArrayLike) -> dict[str, Tensor]:
    """Product, sum and squared difference, element by element. About six lines.

    x, y: Tensors or array-likes of equal shape; shapes that differ are a ValueError naming both
    (no broadcasting). Returns new Tensors of dtype `np.result_type(x, y)` under the keys
    `multiply`, `add` and `squared_diff`.

    >>> vectorized_operations([1.0, 2.0], [3.0, 5.0])["squared_diff"].data
    array([4., 9.], dtype=float32)
    """
    ### BEGIN SOLUTION
    a, b = as_array(x), as_array(y)
    if a.shape != b.shape:
        raise ValueError(f"x and y must have the same shape, got {a.shape} and {b.shape}")
    # NumPy refuses to subtract bools; of 0 and 1 the difference is whether they differ.
    both_bool = a.dtype == b.dtype == np.bool_
    difference = np.asarray(np.not_equal(a, b) if both_bool else np.subtract(a, b))
    np.multiply(difference, difference, out=difference)  # no fourth array, no fourth set of pages
    return {"multiply": Tensor(a * b), "add": Tensor(a + b), "squared_diff": Tensor(difference)}
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# NumPy's operators already work on whole arrays. What they also do, without being asked, is
# broadcast.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Take both arrays with `as_array`. Compare the shapes and raise. Build the dict, each value a
# Tensor.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `{"multiply": Tensor(a * b), ...}` with `difference = a - b` computed once and squared by
# `difference * difference`.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_operations", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_vectorized_operations():
    x = np.array([[1.0, -2.0], [3.0, 0.5]], dtype=np.float32)
    y = np.array([[4.0, 2.0], [-1.0, 0.5]], dtype=np.float32)
    gives = {"multiply": x * y, "add": x + y, "squared_diff": (x - y) ** 2}
    cause = "product, sum and squared difference of each pair"
    expect_tensor(vectorized_operations, Tensor(x), y, gives=gives, cause=cause)
    shapes = "(2, 2)", "(2, 1)"
    cause = "NumPy broadcasts without being asked: compare the shapes first"
    expect_error(ValueError, vectorized_operations, x, y[:, :1], mentions=shapes, cause=cause)


check_vectorized_operations()


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_operations_hidden_values", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_operations: random values.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_vectorized_operations_values():
    rng = instances("vectorized_operations values")
    for shape in (2, 7, (3, 3), (20, 20), 500):
        x, y = (rng.integers(-99, 100, shape).astype(np.float32) / 4 for _ in "xy")
        gives = {"multiply": x * y, "add": x + y, "squared_diff": (x - y) ** 2}
        cause = "multiply is x * y, add is x + y, squared_diff is (x - y) ** 2"
        expect_values(vectorized_operations, x, y, gives=gives, cause=cause)
        expect_values(vectorized_operations, x.tolist(), Tensor(y), gives=gives, cause=cause)


check_vectorized_operations_values()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_operations_hidden_shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_operations: any number of dimensions, no elements, views.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_vectorized_operations_shapes():
    rng = instances("vectorized_operations shapes")
    for shape in [(), (0, 3), (1, 1), (2, 3, 2), (257,), (4, 5, 6)]:
        x, y = (np.asarray(rng.integers(-9, 10, shape), np.float32) for _ in "xy")
        gives = {"multiply": x * y, "add": x + y, "squared_diff": (x - y) ** 2}
        cause = f"shape {shape}: the results have the same"
        expect_values(vectorized_operations, x, y, gives=gives, cause=cause)
    x, y = rng.integers(-9, 10, (2, 6, 6)).astype(np.float32)
    x, y = x.T, y[::-1]
    gives = {"multiply": x * y, "add": x + y, "squared_diff": (x - y) ** 2}
    cause = "views are arrays like any other"
    expect_values(vectorized_operations, x, y, gives=gives, cause=cause)


check_vectorized_operations_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_operations_hidden_dtypes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_operations: dtypes, precision, inputs left alone.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_vectorized_operations_dtypes():
    rng = instances("vectorized_operations dtypes")
    f4, f8, i8 = np.float32, np.float64, np.int64
    for left, right in [(f4, f4), (f4, f8), (f8, f8), (i8, i8), (np.int8, f4), (i8, f4)]:
        x, y = rng.integers(-9, 10, 3).astype(left), rng.integers(-9, 10, 3).astype(right)
        gives = {"multiply": x * y, "add": x + y, "squared_diff": (x - y) ** 2}
        cause = f"{x.dtype} with {y.dtype} gives {np.result_type(x, y)}"
        expect_tensor(vectorized_operations, x, y, gives=gives, cause=cause)
        expect_unchanged(vectorized_operations, x, y)
    expect_unchanged(vectorized_operations, Tensor(x), Tensor(y))
    ones = np.float32([1, 1])
    gives = {"multiply": ones, "add": 2 * ones, "squared_diff": 0 * ones}
    cause = "Python numbers become float32, as in Tensor"
    expect_tensor(vectorized_operations, [1.0, 1.0], [1.0, 1.0], gives=gives, cause=cause)
    for dtype, rtol in ((f8, 1e-12), (f4, 1e-6)):
        x, y = (1000 + rng.standard_normal((2, 9))).astype(dtype)
        gives = {"multiply": x * y, "add": x + y, "squared_diff": (x - y) ** 2}
        cause = "in the inputs' dtype; subtract first, then square"
        expect_tensor(vectorized_operations, x, y, gives=gives, cause=cause, rtol=rtol)


check_vectorized_operations_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_operations_hidden_errors", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_operations: pairs that do not fit.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_vectorized_operations_errors():
    cause = "shapes that differ must be refused, not broadcast"
    for bad in [(3, 1), (4, 1), (1, 3), (3,), (1,), (3, 4), (4, 3, 1), ()]:
        x, y = np.ones((4, 3), np.float32), np.ones(bad, np.float32)
        shapes = "(4, 3)", str(bad)
        expect_error(ValueError, vectorized_operations, x, y, mentions=shapes, cause=cause)
        expect_error(ValueError, vectorized_operations, y, Tensor(x), mentions=shapes, cause=cause)


check_vectorized_operations_errors()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_vectorized_operations_hidden_mechanism", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of vectorized_operations: Python lines run, for few and for many elements.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_vectorized_operations_mechanism():
    rng = instances("vectorized_operations mechanism")

    def make(n):  # of small numbers, as it takes time to send them to where the answer is
        return tuple(rng.integers(-5, 6, (2, n), dtype=np.int8))

    def gives(x, y):
        return {"multiply": x * y, "add": x + y, "squared_diff": (x - y) ** 2}

    expect_no_loop(vectorized_operations, make, gives)


check_vectorized_operations_mechanism()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** `squared_diff` writes the difference to memory and reads it back; working through
# the arrays in pieces that stay in the cache does not. How many times faster are the pieces,
# for ten million elements?

# %%
my_guess = None  # how many times faster than one pass after the other?


# %% tags=["ungraded"]
def squared_diff_in_pieces(x, y, out, piece=16_384):
    for start in range(0, len(x), piece):
        part = out[start : start + piece]
        np.subtract(x[start : start + piece], y[start : start + piece], out=part)
        np.multiply(part, part, out=part)
    return out


x, y = rng.standard_normal((2, 10_000_000), dtype=np.float32)
out, spare = np.empty_like(x), np.empty_like(x)
times = race(
    {
        "whole arrays": lambda: np.multiply(np.subtract(x, y, out=spare), spare, out=out),
        "in pieces": lambda: squared_diff_in_pieces(x, y, out),
    },
    rounds=9,
)
bars(times, "squared_diff of 10,000,000 elements", guess=my_guess)

# %% [markdown]
# The arithmetic is the same and so is the number of SIMD instructions. What differs is how often
# a byte crosses the bus between memory and cache. Doing several steps while the data is near is
# called fusion.
#
# **Optimize.** Try pieces of 1,000 and of 1,000,000 elements. Which of the two costs that you have
# seen so far does each of them run into?


# %% tags=["ungraded"]
def test_vectorized_operations():
    check_vectorized_relu()
    check_vectorized_operations()
    print("Step 2: the visible tests pass.")


test_vectorized_operations()

# %% [markdown] nbgrader={"grade": false, "grade_id": "question_intensity", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Written question 1
#
# Arithmetic intensity is the number of operations per byte moved. Work it out for ReLU on
# float32 and for the product of two 1,024 by 1,024 float32 matrices (each matrix moved once).
# Which of the two gains from a second core, if one core can already use the whole memory
# bandwidth? Give numbers and a reason, in at most ten lines.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer_intensity", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# ReLU reads 4 bytes, writes 4 and compares once: 1/8 operation per byte. The product takes
# 2 * 1024^3 operations on 3 * 1024^2 * 4 bytes: about 171 operations per byte. ReLU already waits
# for memory, and a second core would wait for the same memory. The product is limited by the
# arithmetic units; a second core brings its own, so the time can halve.
# ### END SOLUTION

# %% [markdown]
# ## Step 3. Memory layout
#
# A processor does not read elements, it reads cache lines, and it keeps the lines that it used
# last in a few small, fast memories, the caches. The next experiment reads an array again and
# again, for sizes from a few KiB to far more than a cache holds: once in order, which shows the
# bytes a second, and once by loads that each wait for the one before, which shows the wait.
#
# **Guess.** At which sizes does that become slower? One number, or several in brackets.

# %%
my_guess = None  # bytes, such as [32_000, 1_000_000]


# %% tags=["ungraded"]
ladder = cache_ladder()
draw_cache_ladder(ladder, guess=my_guess)
for cliff in ladder.cliffs():
    print(f"beyond {cliff.last:,} bytes: {cliff.after / cliff.before:.1f} times the wait")

# %% [markdown]
# Data read in order hides most of the wait; loads that depend on each other pay all of it. What
# fits below the first cliff never waits. A product of large matrices reads the same numbers again
# and again: the question is from which level.

# %% [markdown]
# ### cache_friendly_matmul
#
# **What limits it.** Row by column, computing one row of C walks through all of B. By the time
# the next row wants B again, a large B has left the cache. Cut into tiles of b by b, one step
# needs three tiles, and each number fetched is used b times before it is let go.
#
# ```
#        p                       j                      j
#      +---+---+           +---+---+---+          +---+---+---+
#      |   |   |         p |   | B |   |          |   |   |   |
#      +---+---+           +---+---+---+          +---+---+---+
#    i | A |   |           |   |   |   |    =   i |   | C |   |    C[i,j] += A[i,p] @ B[p,j]
#      +---+---+           +---+---+---+          +---+---+---+
# ```
#
# | block | bytes in use, 3 tiles of float32 | uses of each number fetched |
# |---|---|---|
# | 8 | 768 | 8 |
# | 32 | 12,288 | 32 |
# | 128 | 196,608 | 128 |
#
# **14 points**: main path 2, random instances 2, shapes 3, dtypes and inputs 2, errors 2,
# mechanism 3.


# %% nbgrader={"grade": false, "grade_id": "cache_friendly_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def cache_friendly_matmul(A: ArrayLike, B: ArrayLike, block_size: int = 32) -> Tensor:
    """Matrix product in tiles; one step touches at most 3 * block_size**2 elements. Ten lines.

    A: (m, k), B: (k, n), any sizes: the last tiles may be ragged, and a block may be larger than
    the matrix. Returns a new Tensor (m, n) of dtype `np.result_type(A, B)`.
    ValueError: shapes as in `matmul_baseline`, or block_size < 1.

    >>> cache_friendly_matmul(np.eye(3), np.eye(3), block_size=2).shape
    (3, 3)
    """
    ### BEGIN SOLUTION
    a, b = matmul_operands(A, B)
    step = min(positive_int("block_size", block_size), 1024)  # so that the two buffers stay small
    (m, k), n = a.shape, b.shape[1]
    if max(m, k, n) <= step:
        return tensor_of(a @ b)  # one tile
    C = np.empty((m, n), dtype=np.result_type(a, b))
    # Summed in a buffer without gaps: a tenth faster than in the tile, whose rows lie so far apart
    # that they compete for the same places in the cache.
    buffers = np.empty((2, min(step, m), min(step, n)), dtype=C.dtype)
    for i in range(0, m, step):
        for j in range(0, n, step):
            tile = C[i : i + step, j : j + step]
            total, product = buffers[:, : tile.shape[0], : tile.shape[1]]
            np.matmul(a[i : i + step, :step], b[:step, j : j + step], out=total)
            for p in range(step, k, step):
                np.matmul(a[i : i + step, p : p + step], b[p : p + step, j : j + step], out=product)
                total += product
            tile[...] = total
    return Tensor(C)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# A slice may end beyond the array: NumPy cuts it off. Ragged edges need no special case.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# `matmul_operands(A, B)` checks both shapes and returns the arrays; `positive_int("block_size",
# block_size)` checks the block. Start from zeros of the right dtype. Three loops with the step
# block_size, over rows, columns and the inner dimension.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# Inside the three loops:
# `C[i:i+s, j:j+s] += a[i:i+s, p:p+s] @ b[p:p+s, j:j+s]`.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_cache_friendly_matmul", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_cache_friendly_matmul():
    A, B = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], dtype=np.float32)
    cause = "tiles of one number: is each product of two tiles added to what is there already?"
    expect_tensor(cache_friendly_matmul, Tensor(A), B, block_size=1, gives=A @ B, cause=cause)
    A = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], dtype=np.float32)
    B = np.array([[1, 0, 2], [0, 1, 0], [1, 1, 0]], dtype=np.float32)
    cause = "3 rows and block_size 2: is the last, ragged block skipped?"
    expect_tensor(cache_friendly_matmul, Tensor(A), B, block_size=2, gives=A @ B, cause=cause)
    rng = np.random.default_rng(3)
    A, B = rng.integers(-4, 5, (2, 64, 64)).astype(np.float32)
    cause = "does every tile of A meet every matching tile of B, and is the sum kept?"
    expect_tensor(cache_friendly_matmul, Tensor(A), Tensor(B), gives=A @ B, cause=cause)
    expect_error(
        ValueError,
        cache_friendly_matmul,
        A,
        B,
        block_size=0,
        mentions=("0",),
        cause="a block needs at least one row",
    )


check_cache_friendly_matmul()


# %% nbgrader={"grade": true, "grade_id": "test_cache_friendly_matmul_hidden_values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of cache_friendly_matmul: random matrices that blocks divide.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_cache_friendly_matmul_values():
    rng = instances("cache_friendly_matmul values")
    for n, block in [(2, 1), (4, 2), (32, 8), (64, 16), (96, 32)]:
        A, B = rng.integers(-9, 10, (2, n, n)).astype(np.float32)
        cause = "are all tiles multiplied, and the products of one tile of C added up?"
        expect_values(cache_friendly_matmul, A, B, block, gives=A @ B, cause=cause)
        expect_values(cache_friendly_matmul, A, B, block_size=block, gives=A @ B, cause=cause)
    A, B = rng.standard_normal((2, 64, 64), dtype=np.float32)
    gives = A.astype(np.float64) @ B
    cause = "the sum over all tiles"
    expect_values(cache_friendly_matmul, A, B, gives=gives, cause=cause, rtol=1e-4, atol=1e-4)


check_cache_friendly_matmul_values()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_cache_friendly_matmul_hidden_shapes", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of cache_friendly_matmul: ragged, empty, long and wide, blocks beyond the matrix.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_cache_friendly_matmul_shapes():
    rng = instances("cache_friendly_matmul shapes")
    sizes = [(1, 1, 1), (3, 2, 5), (2, 5, 3), (5, 3, 2), (2, 70, 3), (33, 31, 35), (40, 8, 8)]
    for m, k, n in [*sizes, (8, 40, 8), (8, 8, 40), (5, 0, 4), (0, 3, 2), (3, 2, 0)]:
        for block in (1, 2, 7, 32, 1000) if m * k * n < 1000 else (7, 32, 1000):
            A, B = (rng.integers(-4, 5, s).astype(np.float32) for s in ((m, k), (k, n)))
            cause = f"shapes {(m, k)} and {(k, n)}, block_size {block}: the last tile is smaller"
            expect_values(cache_friendly_matmul, A, B, block, gives=A @ B, cause=cause)
    A, B = rng.integers(-4, 5, (20, 9)).astype(np.float32), rng.integers(-4, 5, (20, 11)) * 1.0
    cause = "a transposed or reversed view is a matrix like any other"
    expect_values(cache_friendly_matmul, A.T, B[:, ::-1], 4, gives=A.T @ B[:, ::-1], cause=cause)
    expect_values(cache_friendly_matmul, A.T, np.asfortranarray(B), 4, gives=A.T @ B, cause=cause)


check_cache_friendly_matmul_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_cache_friendly_matmul_hidden_dtypes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of cache_friendly_matmul: dtypes, precision, inputs left alone.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_cache_friendly_matmul_dtypes():
    rng = instances("cache_friendly_matmul dtypes")
    f4, f8, i8 = np.float32, np.float64, np.int64
    for left, right in [(f4, f4), (f8, f8), (f4, f8), (f8, f4), (i8, i8), (i8, f4), (f4, i8)]:
        A, B = rng.integers(-4, 5, (3, 5)).astype(left), rng.integers(-4, 5, (5, 3)).astype(right)
        cause = f"{A.dtype} with {B.dtype} gives {np.result_type(A, B)}"
        expect_tensor(cache_friendly_matmul, A, B, 2, gives=A @ B, cause=cause)
        expect_unchanged(cache_friendly_matmul, A, B, 2)
        expect_unchanged(cache_friendly_matmul, Tensor(A), Tensor(B), 32)
    A, B = rng.standard_normal((9, 40)), rng.standard_normal((40, 7))
    cause = "sums in the dtype of the result"
    tolerance = {"rtol": 1e-9, "atol": 1e-9}
    expect_tensor(cache_friendly_matmul, A, B, 16, gives=A @ B, cause=cause, **tolerance)
    for size in (2, 3, 40):
        expect_unchanged(cache_friendly_matmul, *np.ones((2, size, size), np.float32), 3)
    A, B = np.array([[2**53 + 1, 1]]), np.array([[1], [1]])
    expect_tensor(cache_friendly_matmul, A, B, 1, gives=A @ B, cause=cause)


check_cache_friendly_matmul_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_cache_friendly_matmul_hidden_errors", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of cache_friendly_matmul: bad arguments.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_cache_friendly_matmul_errors():
    A, B = np.ones((2, 3), np.float32), np.ones((3, 2), np.float32)
    for bad in (0, -1, -32):
        cause, named = "block_size < 1 must be refused", (str(bad),)
        expect_error(ValueError, cache_friendly_matmul, A, B, bad, mentions=named, cause=cause)
    for a, b in [(A, A), (A[0], B), (A, B[:, 0]), (A, B[None]), (B, B)]:
        cause = "shapes that do not fit must be refused before any work"
        shapes = str(a.shape), str(b.shape)
        expect_error(ValueError, cache_friendly_matmul, a, b, mentions=shapes, cause=cause)


check_cache_friendly_matmul_errors()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_cache_friendly_matmul_hidden_mechanism", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of cache_friendly_matmul: the size of a step, and misses of a simulated cache.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_cache_friendly_matmul_mechanism():
    expect_tiles(cache_friendly_matmul)


check_cache_friendly_matmul_mechanism()
### END HIDDEN TESTS

# %% [markdown]
# An instrument writes down every access that a kernel makes to 32 by 32 matrices and sends them
# through a model of a small cache: 32 lines of 8 numbers; what was not used for longest goes first.
# No clock is involved, so the picture is the same on every machine.
#
# **Guess.** How many times fewer misses have your tiles of 8 by 8 than three loops?

# %%
my_guess = None  # times fewer misses


# %% tags=["ungraded"]
def i_j_k(A, B):
    C = np.zeros((len(A), B.shape[1]), A.dtype)
    for i in range(len(A)):
        for j in range(B.shape[1]):
            for p in range(len(B)):
                C[i, j] += A[i, p] * B[p, j]
    return C


A, B = rng.standard_normal((2, 32, 32), dtype=np.float32)
runs = {
    "three loops": trace(i_j_k, A, B),
    "your tiles of 8 by 8": trace(cache_friendly_matmul, A, B, block_size=8),
}
miss_maps(runs, guess=my_guess)
access_film(runs)

# %% [markdown]
# The darker a place, the more often it had to be fetched again. Drag the slider below the second
# picture: the loops sweep over all of B before they come back, and by then the model has forgotten
# where they began. A tile step stays in three small squares until it is done with them.
#
# **Optimize.** Trace tiles of 16 by 16. Three of them are 768 numbers, and the model holds 256.

# %% [markdown]
# **Guess.** Which block size will be fastest for two 512 by 512 float32 matrices? Three tiles of b by
# b fit while 3 b² 4 bytes are no more than the cache holds; the cache ladder says what yours hold.

# %%
my_guess = None  # block_size


# %% tags=["ungraded"]
draw_blocks(measure_blocks(globals()), guess=my_guess)

# %% [markdown]
# The dark line pays for a NumPy call per tile, and BLAS cuts tiles of its own. The dashed line has
# neither: what is left there is the cost of short loops, and the caches.
#
# **Optimize.** Choose the `block_size` that you would make the default on this machine, and run
# the cell again with matrices of 1,000 by 1,000. Does your choice hold?


# %% tags=["ungraded"]
def test_cache_friendly_matmul():
    check_cache_friendly_matmul()
    print("Step 3: the visible tests pass.")


test_cache_friendly_matmul()

# %% [markdown]
# ## Step 4. GPU-style parallel computing
#
# A GPU runs one small program on many elements at once: cut the work into pieces that do not
# depend on each other, give each worker its pieces, wait for all. Threads on CPU cores follow the
# same pattern with fewer, stronger workers.
#
# ### parallel_relu
#
# **What limits it.** NumPy lets go of Python's lock while it works, so threads do run side by
# side. What they share is the way to memory, and ReLU uses little else. Starting and awaiting a
# thread takes time as well; the ReLU picture of step 2 says how many elements one core handles
# in that time.
#
# ```
# x    | piece 0 | piece 1 | piece 2 | piece 3 |      pieces of one array, no copies
#          |         |         |         |
#       thread 0  thread 1  thread 2  thread 3        at most num_workers
#          |         |         |         |
# out  | piece 0 | piece 1 | piece 2 | piece 3 |      each writes its own piece
# ```
#
# **10 points**: main path 2, random instances 1, shapes 2, dtypes and inputs 1, errors 1,
# mechanism 3.


# %% nbgrader={"grade": false, "grade_id": "parallel_relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def parallel_relu(x: ArrayLike, num_workers: int = 4) -> Tensor:
    """ReLU by up to `num_workers` threads, each on its own piece of x. About ten lines.

    x: as in `vectorized_relu`, and so is the result. Small arrays may be done by one thread;
    for a large x and num_workers >= 2 at least two threads share the work, never more than
    num_workers. num_workers < 1: ValueError.

    >>> parallel_relu([-1.0, 2.0], num_workers=8).data
    array([0., 2.], dtype=float32)
    """
    ### BEGIN SOLUTION
    values = as_array(x)
    zero = values.dtype.type(0)
    smallest_share = 32_768  # elements; less work than this costs less than a thread's start
    workers = min(positive_int("num_workers", num_workers), values.size // smallest_share)
    if workers < 2:
        return Tensor(np.maximum(values, zero))
    out = np.empty_like(values, dtype=values.dtype.newbyteorder("="))
    axis = int(np.argmax(values.shape))  # pieces along the longest axis: views in any memory order
    sources, targets = (np.array_split(a, workers, axis) for a in (values, out))

    def relu_into(source: np.ndarray, target: np.ndarray) -> None:
        np.maximum(source, zero, out=target)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(relu_into, sources, targets))  # list() waits, and raises what a thread raised
    return Tensor(out)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Threads see the same memory. A ufunc can write straight into a piece of the result: `out=`.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Check `num_workers` with `positive_int`. Take the array with `as_array(x)` and make an empty one
# like it. Split both with `np.array_split`, along their longest axis or flat; it accepts more
# pieces than elements. Map over the pairs of pieces with a `ThreadPoolExecutor(num_workers)`.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `with ThreadPoolExecutor(n) as pool: list(pool.map(relu_into, sources, targets))`, where
# `relu_into(source, target)` calls `np.maximum(source, zero, out=target)` with a zero of the
# array's dtype. A 0-d array cannot be split: for it, and for anything small, one `np.maximum` is
# enough.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_parallel_relu", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_parallel_relu():
    x = np.array([-1.0, 2.0, -3.0], dtype=np.float32)
    cause = "more workers than elements: some pieces are empty"
    gives = np.array([0.0, 2.0, 0.0], dtype=np.float32)
    expect_tensor(parallel_relu, Tensor(x), num_workers=16, gives=gives, cause=cause)
    x = np.random.default_rng(4).standard_normal(200_003, dtype=np.float32)
    for workers in (1, 2, 3, 4):
        cause = "are all pieces done, the last one too, and in order?"
        expect_tensor(parallel_relu, x, workers, gives=np.maximum(x, 0), cause=cause)
    cause = "somebody has to do the work"
    expect_error(ValueError, parallel_relu, x, num_workers=0, mentions=("0",), cause=cause)


check_parallel_relu()


# %% nbgrader={"grade": true, "grade_id": "test_parallel_relu_hidden_values", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_relu: random values, NaN and infinities, any number of workers.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_parallel_relu_values():
    rng = instances("parallel_relu values")
    for n, workers in [(4, 2), (1000, 3), (100_003, 4), (300_001, 7), (300_000, 2)]:
        x = rng.standard_normal(n, dtype=np.float32)
        cause = f"{workers} workers: is every element done once, and is it in its place?"
        expect_values(parallel_relu, x, workers, gives=np.maximum(x, 0), cause=cause)
        x[:: n // 2], x[1 :: n // 3] = np.nan, -np.inf
        cause = "NaN stays NaN, -inf becomes 0"
        expect_values(parallel_relu, x, num_workers=workers, gives=np.maximum(x, 0), cause=cause)


check_parallel_relu_values()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_parallel_relu_hidden_shapes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_relu: any number of dimensions, few and no elements, views.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_parallel_relu_shapes():
    rng = instances("parallel_relu shapes")
    few = [(), (0,), (1,), (5,), (2, 0, 3), (2, 3)]
    for shape in [*few, (3, 70_000), (7_001, 3), (41, 43, 47), (2, 200_001)]:
        x = np.asarray(rng.standard_normal(shape), dtype=np.float32)
        for workers in (1, 3, 16):
            cause = f"shape {shape}, {workers} workers: the result has the shape of x"
            expect_values(parallel_relu, x, workers, gives=np.maximum(x, 0), cause=cause)
    x = rng.standard_normal((500, 601), dtype=np.float32)
    for view in (x.T, x[::2, ::3], np.asfortranarray(x), x[::-1]):
        cause = "a view: its elements do not lie one after the other"
        expect_values(parallel_relu, view, 4, gives=np.maximum(view, 0), cause=cause)


check_parallel_relu_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_parallel_relu_hidden_dtypes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_relu: dtypes, digits, inputs left alone.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_parallel_relu_dtypes():
    rng = instances("parallel_relu dtypes")
    for dtype in (np.float16, np.float32, np.float64, np.int8, np.int64):
        for n in (4, 200_001):
            x = rng.integers(-9, 10, n).astype(dtype)
            x[-1] = 9  # zero, where it is forgotten, is not what becomes of it
            gives = np.where(x > 0, x, 0).astype(dtype)
            cause = f"{x.dtype} in, {x.dtype} out"
            expect_tensor(parallel_relu, x, 3, gives=gives, cause=cause)
            expect_unchanged(parallel_relu, x, 3)
    x = rng.standard_normal(200_001)
    cause = "float64 stays float64 all the way"
    expect_tensor(parallel_relu, x, 3, gives=np.maximum(x, 0), cause=cause)
    expect_unchanged(parallel_relu, Tensor(x), 3)


check_parallel_relu_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_parallel_relu_hidden_errors", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_relu: bad arguments.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_parallel_relu_errors():
    cause = "num_workers < 1 must be refused, for small and empty arrays too"
    for n in (0, 4, 300_000):
        for bad in (0, -1, -4):
            x, named = np.ones(n, np.float32), (str(bad),)
            expect_error(ValueError, parallel_relu, x, bad, mentions=named, cause=cause)


check_parallel_relu_errors()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_parallel_relu_hidden_mechanism", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_relu: which threads touch which elements, and when.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_parallel_relu_mechanism():
    x = instances("parallel_relu mechanism").standard_normal(300_001, dtype=np.float32)
    x[-4:] = 1
    for workers in (2, None):  # None: the default, 4
        expect_shared_work(parallel_relu, x, workers)


check_parallel_relu_mechanism()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** With twice the workers, does ReLU of ten million elements take half of the time?
# Write how many times faster than `vectorized_relu` the best number of workers will be.

# %%
my_guess = None  # times faster than vectorized_relu


# %% tags=["ungraded"]
x = rng.standard_normal(10_000_000, dtype=np.float32)
crew = [1, 2, 4, 8]
contestants = {w: partial(parallel_relu, x, num_workers=w) for w in crew}
times = race(contestants | {"vectorized_relu": lambda: vectorized_relu(x)}, rounds=9)
alone = statistics.median(times.pop("vectorized_relu"))
faster = [alone / statistics.median(times[w]) for w in crew]
ideal = [min(w, os.cpu_count()) for w in crew]
lines(
    {"parallel_relu": (crew, faster), "if only cores counted": (crew, ideal)},
    xlabel=f"num_workers (this machine has {os.cpu_count()} cores)",
    ylabel="times faster than vectorized_relu",
    caption=f"At best {max(faster):.1f} times, with {crew[faster.index(max(faster))]} workers.",
    guess_y=my_guess,
)

# %% [markdown]
# Below the dashed line, the workers wait for each other or for memory. More workers than cores
# cannot add anything but turns.
#
# **Optimize.** Run the cell again with 30,000 and with 300,000 elements. From which size on do two
# workers pay?

# %% [markdown]
# ### parallel_batch_processing
#
# **What limits it.** The slowest item, and Python's global interpreter lock: only one thread at a
# time may run Python code. An operation that spends its time inside NumPy gives the lock away; a
# Python loop keeps it.
#
# | operation | holds the lock | two threads on two cores |
# |---|---|---|
# | NumPy on a large array | hardly | side by side |
# | a Python loop | always | one after the other |
# | waiting for a file or a network | never | side by side |
#
# **12 points**: main path 2, random instances 2, shapes 1, errors 3, mechanism 4.


# %% nbgrader={"grade": false, "grade_id": "parallel_batch_processing", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def parallel_batch_processing(
    batch_data: Iterable[Any],
    operation: Callable[[Any], Any],
    num_workers: int = 4,
    executor: Executor | None = None,
) -> list[Any]:
    """[operation(item) for item in batch_data], `num_workers` at the same time. Five lines.

    Results come in the order of the items. An exception of `operation` propagates; an empty
    batch gives []. num_workers < 1: ValueError. `executor` (not graded) is any
    `concurrent.futures.Executor` that runs the operations, still num_workers at a time.

    >>> parallel_batch_processing([1, 2, 3], lambda v: v * v, num_workers=2)
    [1, 4, 9]
    """
    ### BEGIN SOLUTION
    workers = positive_int("num_workers", num_workers)
    if not callable(operation):
        raise TypeError(f"operation must be callable, got {type(operation).__name__}")
    if not isinstance(executor, Executor | None):
        raise TypeError(f"executor must be an Executor, got {type(executor).__name__}")
    items = list(batch_data)
    if executor is not None:
        return _bounded_map(executor, operation, items, workers)
    with ThreadPoolExecutor(workers) as pool:
        return _bounded_map(pool, operation, items, workers)


def _bounded_map(
    executor: Executor, operation: Callable[[Any], Any], items: list[Any], limit: int
) -> list[Any]:
    """Like `executor.map`, with at most `limit` operations submitted and not yet done."""
    results: list[Any] = [None] * len(items)
    pending: dict[futures.Future[Any], int] = {}
    try:
        for index, item in enumerate(items):
            if len(pending) == limit:
                for done in futures.wait(pending, return_when=futures.FIRST_COMPLETED).done:
                    results[pending.pop(done)] = done.result()
            pending[executor.submit(operation, item)] = index
        for future, index in pending.items():
            results[index] = future.result()
    finally:
        for future in pending:
            future.cancel()
    return results
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# `concurrent.futures` has all of it: a pool that never runs more than its size at once, and a map
# that keeps the order.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Check `num_workers`. Open a `ThreadPoolExecutor` of that size in a `with` block. Map the
# operation over the items. Reading the results raises what an operation raised.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `with ThreadPoolExecutor(workers) as pool: return list(pool.map(operation, batch_data))`
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_parallel_batch_processing", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_parallel_batch_processing():
    import threading

    batch = [Tensor(np.full(3, v, dtype=np.float32)) for v in range(7)]
    last_is_ready = threading.Event()

    def first_comes_late(t):
        total = float(t.data.sum())
        if total == 18:
            last_is_ready.set()
        elif total == 0:
            last_is_ready.wait(0.5)
        return total

    got = attempt(parallel_batch_processing, batch, first_comes_late, num_workers=3)
    sums = [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0]
    assert got == sums, (
        f"tried the sums of 7 Tensors with num_workers=3: got {got}, expected {sums}: "
        "are the results in input order?"
    )
    got = attempt(parallel_batch_processing, [], abs)
    assert got == [], f"tried an empty batch: got {got}, expected []: is there nothing to wait for?"
    cause = "somebody has to do the work"
    expect_error(ValueError, parallel_batch_processing, [1], abs, 0, mentions=("0",), cause=cause)


check_parallel_batch_processing()


# %% nbgrader={"grade": true, "grade_id": "test_parallel_batch_processing_hidden_values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_batch_processing: results in input order, whatever takes how long.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_parallel_batch_processing_values():
    import threading

    rng = instances("parallel_batch_processing values")
    items = rng.integers(-99, 100, 39).tolist()
    items += items[:1]  # one item comes twice
    for workers in (1, 2, 4):
        calls = []

        def square(v, calls=calls):
            calls.append(v)
            return v * v

        got = attempt(parallel_batch_processing, items, square, workers)
        assert sorted(calls) == sorted(items), (
            f"tried {len(items)} items with num_workers={workers}: the operation was called "
            f"{len(calls)} times, expected once for each item: is it called again for the results?"
        )
        assert isinstance(got, list), f"got a {type(got).__name__}, expected a list of results"
        expected = [v * v for v in items]
        assert got == expected, (
            f"tried the squares of {items[:5]}... with num_workers={workers}: got {got[:5]}..., "
            f"expected {expected[:5]}...: is every item done once, in its place?"
        )
    last_is_done = threading.Event()

    def first_ends_last(item):
        if item == 1:
            last_is_done.set()
        else:
            last_is_done.wait(2)
        return item

    got = attempt(parallel_batch_processing, [0, 1], first_ends_last, 2)
    assert got == [0, 1], (
        f"tried two items of which the first ends last: got {got}, expected [0, 1]: are results "
        "collected as they come, and not by the place of their items?"
    )


check_parallel_batch_processing_values()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_parallel_batch_processing_hidden_shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_batch_processing: no items, one, fewer than workers, not a list.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_parallel_batch_processing_shapes():
    for items in ([], [3], [3, 1], (5, 4), range(6)):
        for workers in (1, 2, 50):
            got = attempt(parallel_batch_processing, items, lambda v: (v, v), num_workers=workers)
            expected = [(v, v) for v in items]
            # Their order is looked at above, where it cannot be right by luck.
            assert isinstance(got, list) and sorted(got, key=repr) == sorted(expected, key=repr), (
                f"tried {items!r} with num_workers={workers}: got {got!r}, expected {expected}: "
                "a list of results, for any batch and any number of workers"
            )
    got = attempt(parallel_batch_processing, [1, None, 2], lambda v: v, 2)
    none = f"tried [1, None, 2]: got {got}: None is a result like any other"
    assert isinstance(got, list) and sorted(got, key=repr) == [1, 2, None], none


check_parallel_batch_processing_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_parallel_batch_processing_hidden_errors", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_batch_processing: exceptions of the operation, bad arguments.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_parallel_batch_processing_errors():
    def fails_on_three(v):
        if v == 3:
            raise KeyError("three")
        return v

    cause = "an exception of the operation must reach the caller as it is"
    for items in ([3], [0, 1, 2, 3], list(range(40)), [3, 4, 5]):
        for workers in (1, 4):
            expect_error(
                KeyError,
                parallel_batch_processing,
                items,
                fails_on_three,
                workers,
                mentions=("three",),
                cause=cause,
            )
    cause = "num_workers < 1 must be refused, for an empty batch too"
    for bad in (0, -2):
        for items in ([], [1, 2]):
            named = (str(bad),)
            expect_error(
                ValueError, parallel_batch_processing, items, abs, bad, mentions=named, cause=cause
            )


check_parallel_batch_processing_errors()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_parallel_batch_processing_hidden_mechanism", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of parallel_batch_processing: how many operations really run at the same time.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_parallel_batch_processing_mechanism():
    for workers in (1, 3):
        expect_at_once(parallel_batch_processing, workers, items=2 * workers + 1)

    def by_default(items, operation, _):
        return parallel_batch_processing(items, operation)

    expect_at_once(by_default, 4, items=9)


check_parallel_batch_processing_mechanism()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** A job takes one worker 80 ms alone. How many milliseconds do two workers need for one
# job each, if the job is a Python loop?

# %%
my_guess = None  # milliseconds, two Python workers


# %% tags=["ungraded"]
draw_lock(watch_lock(globals()), guess=my_guess)

# %% [markdown]
# Where one dark stripe begins another ends: Python's workers hand the lock to each other. A NumPy
# call needs it only at its ends. Where two workers do not help NumPy either, count your cores, and
# ask what else is using them.

# %% [markdown]
# **Guess.** How many times faster is a product of two 768 by 768 matrices on all cores?

# %%
my_guess = None  # times faster with all cores


# %% tags=["ungraded"]
draw_scaling(measure_scaling(globals()), guess=my_guess)

# %% [markdown]
# What cannot be shared bends the product's line (Amdahl's law). ReLU stops where one memory serves
# all cores. The right panel is paid in every call that starts a pool.
#
# **Optimize.** In `parallel_relu`, make the pool once, outside the function. What becomes of the
# smallest array for which two workers pay?


# %% tags=["ungraded"]
def test_parallel_processing():
    check_parallel_relu()
    check_parallel_batch_processing()
    print("Step 4: the visible tests pass.")


test_parallel_processing()

# %% [markdown] nbgrader={"grade": false, "grade_id": "question_threads", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Written question 2
#
# A colleague runs `parallel_relu` with 64 workers on 2,000 elements, on a machine with 8 cores,
# and finds it far slower than `vectorized_relu`. Name two costs that the extra workers bring, and
# say which measurements of this notebook you would repeat, and how, to find the size from which
# two workers pay. At most ten lines.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer_threads", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Starting and joining threads costs microseconds for each, and more threads than cores only take
# turns (with switches, and each with cold caches). The ReLU picture gives the time per element:
# 2,000 elements take about a microsecond, far below one thread's start. Two workers pay from the
# size at which half of the serial time exceeds the start of a pool, if memory bandwidth allows.
# ### END SOLUTION

# %% [markdown]
# ## Step 5. Performance profiling
#
# ### SimpleProfiler
#
# **What limits it.** A measurement is disturbed by everything else that the machine does: other
# programs, garbage collection, the first call's page faults. Nearly all of it adds time. One run
# tells little; the mean follows the worst run; the median and the minimum hold still.
#
# | trap | way out |
# |---|---|
# | the first call pays for imports, caches, memory pages | warm up before timing |
# | `time.time` may jump | `time.perf_counter` only goes forward |
# | the garbage collector runs when it likes | hold it off while timing |
# | `tracemalloc` slows every allocation | measure memory in a pass of its own |
#
# **10 points**: main path 2, random instances 2, times 2, side effects 2, errors 2.


# %% nbgrader={"grade": false, "grade_id": "SimpleProfiler", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class SimpleProfiler:
    """Times a function and measures its memory. The options belong to the constructor.

    repeats: timed calls. warmup: calls before them that are not timed. Both at least 1.
    """

    def __init__(self, repeats: int = 15, warmup: int = 2) -> None:
        self.repeats = positive_int("repeats", repeats)
        self.warmup = positive_int("warmup", warmup)

    def profile(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> tuple[Any, dict[str, float]]:
        """Returns (result, metrics) of fn(*args, **kwargs). About 25 lines.

        metrics: `wall_time` (median, seconds), `min_time`, `cpu_time` (median), `repeats`,
        `peak_memory` (bytes, from a call of its own that is not timed). The garbage collector
        is off during the timed calls; it and tracemalloc are left as they were, whatever fn
        raises (a caller's own tracing goes on, and slows them). All of kwargs go to fn.
        """
        ### BEGIN SOLUTION
        before = gc.isenabled(), tracemalloc.is_tracing()
        try:
            for _ in range(self.warmup):
                fn(*args, **kwargs)
            result, wall, cpu = self._time(fn, args, kwargs)
            self._restore(*before)
            peak = self._peak_memory(fn, args, kwargs)
        finally:
            self._restore(*before)
        lower, _, upper = statistics.quantiles(wall, n=4) if len(wall) > 1 else wall * 3
        return result, {
            "wall_time": statistics.median(wall),
            "min_time": min(wall),
            "iqr": upper - lower,
            "cpu_time": statistics.median(cpu),
            "repeats": self.repeats,
            "peak_memory": peak,
        }

    @staticmethod
    def _restore(collecting: bool, tracing: bool) -> None:
        """Put the collector and tracemalloc back, whatever fn did to them."""
        (gc.enable if collecting else gc.disable)()
        if tracing != tracemalloc.is_tracing():
            (tracemalloc.start if tracing else tracemalloc.stop)()

    def _time(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, list[float], list[float]]:
        """The last result, and the wall and processor seconds of every timed call."""
        result, wall, cpu = None, [], []
        for _ in range(self.repeats):
            gc.disable()  # each time: fn may have switched it on
            result = None  # free the last result first, as a caller's loop would
            cpu_start, wall_start = time.process_time(), time.perf_counter()
            result = fn(*args, **kwargs)
            wall_end, cpu_end = time.perf_counter(), time.process_time()
            wall.append(wall_end - wall_start)
            cpu.append(cpu_end - cpu_start)
        return result, wall, cpu

    @staticmethod
    def _peak_memory(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        """Bytes allocated at the highest point of one call, beyond those before it."""
        if not tracemalloc.is_tracing():
            tracemalloc.start()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        fn(*args, **kwargs)
        return tracemalloc.get_traced_memory()[1] - before
        ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Three passes: warm up, time, trace. What has been switched on or off must be switched back even
# when fn raises: `try ... finally`.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Call fn `warmup` times. Remember `gc.isenabled()`, then `gc.disable()`. For each repeat read
# `time.process_time()` and `time.perf_counter()` before and after, and keep the differences.
# Restore the collector. Then `tracemalloc.start()`, one call, `get_traced_memory()[1]`, `stop()`.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `start = time.perf_counter(); result = fn(*args, **kwargs); wall.append(time.perf_counter() -
# start)` inside the loop, `statistics.median(wall)` and `min(wall)` after it.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_SimpleProfiler", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_SimpleProfiler():
    calls = []

    def work(n, *, repeats=1, warmup=1):  # options of fn's own: they are fn's, not the profiler's
        calls.append((n, repeats, warmup))
        return n * repeats * warmup

    got = attempt(SimpleProfiler().profile, work, 7, repeats=2, warmup=3)
    tried = "tried profile(work, 7, repeats=2, warmup=3)"
    both = f"{tried}: got a {type(got).__name__}, expected two things: fn's result and the metrics"
    assert isinstance(got, tuple | list) and len(got) == 2, both
    result, metrics = got
    assert result == 42, f"{tried}: got {result}, expected 42: are args and kwargs handed to fn?"
    keys = {"wall_time", "min_time", "cpu_time", "repeats", "peak_memory"}
    missing = sorted(keys - set(metrics))
    assert not missing, f"{tried}: metrics lacks {missing}: are the keys spelt as in the docstring?"
    texts = [f"{key} is {metrics[key]!r}" for key in keys if isinstance(metrics[key], str)]
    assert not texts, f"{tried}: {texts}, expected numbers: is the unit written beside them?"
    least = metrics["repeats"] + 2
    assert len(calls) >= least, (
        f"{tried}: fn was called {len(calls)} times for {metrics['repeats']} repeats, expected at "
        f"least {least}: a warm-up before the timed calls, and a call of its own for the memory?"
    )
    least, median = metrics["min_time"], metrics["wall_time"]
    assert 0 <= least <= median, (
        f"{tried}: min_time {least} and wall_time {median}: is the one the least and the other "
        "the median of the same times?"
    )


check_SimpleProfiler()


# %% nbgrader={"grade": true, "grade_id": "test_SimpleProfiler_hidden_values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of SimpleProfiler: arguments, keyword arguments and the result.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_SimpleProfiler_values():
    calls = []

    def work(*args, **kwargs):
        calls.append((args, kwargs))
        return ["made", args, kwargs]

    profiler = SimpleProfiler()
    for args, kwargs in [((), {}), ((1, [2]), {}), ((1,), {"scale": 2, "warmup": 9, "n": 0})]:
        calls.clear()
        got, metrics = attempt(profiler.profile, work, *args, **kwargs)
        tried = f"tried profile(fn, {args}, {kwargs})"
        expected = ["made", args, kwargs]
        assert got == expected, f"{tried}: got {got}, expected {expected}: is it fn's own result?"
        wrong = [call for call in calls if call != (args, kwargs)]
        assert not wrong, f"{tried}: fn was called with {wrong[0]}: all of them are fn's, each time"
        assert isinstance(metrics, dict), f"{tried}: got {metrics!r}, expected a dict of metrics"
    other, _ = attempt(profiler.profile, lambda: 1)
    assert other == 1, f"tried a second function: got {other}, expected 1: whose result is it?"


check_SimpleProfiler_values()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_SimpleProfiler_hidden_mechanism_times", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of SimpleProfiler: what a clock showed, and which number became which metric.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_SimpleProfiler_times():
    rng = instances("SimpleProfiler times")
    with fake_clock(SimpleProfiler) as clock:
        profiler = SimpleProfiler()
        for kind in ("random", "rising", "one slow call"):
            lasted = []

            def work(clock=clock, lasted=lasted, kind=kind):
                wall = float(rng.integers(100, 900)) / 1024
                if kind == "rising":
                    wall = (len(lasted) + 1) / 64
                elif kind == "one slow call":
                    wall = 64.0 if len(lasted) == 5 else 1 / 1024 + len(lasted) / 2**20
                clock.advance(wall, wall / 4)
                lasted.append(wall)

            _, metrics = attempt(profiler.profile, work)
            expect_times(metrics, lasted, clock, kind)


check_SimpleProfiler_times()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_SimpleProfiler_hidden_mechanism_effects", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of SimpleProfiler: collector and tracing during the timed calls, the memory's peak.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_SimpleProfiler_effects():
    process, observe = process_of(SimpleProfiler), Observe()  # where the answer lives
    _, metrics = attempt(SimpleProfiler().profile, observe)
    states = process.observed(observe)
    quiet = states.count((False, False))
    assert quiet >= metrics["repeats"], (
        f"tried a function that allocates: {quiet} of {len(states)} calls ran without collector "
        f"and tracing, expected the {metrics['repeats']} timed ones: is the collector off, and is "
        "memory measured in a call of its own?"
    )
    for size in (250_000, 1_000_000):
        _, metrics = attempt(SimpleProfiler().profile, Allocate(size))
        peak = metrics["peak_memory"]
        assert 8 * size <= peak < 8 * size + 500_000, (
            f"tried a function that allocates {8 * size:,} bytes and frees them: peak_memory is "
            f"{peak:,}: bytes, at the highest point, in a pass of its own?"
        )
    left = process.state()
    assert left["collecting"], "the garbage collector was left off: is it put back?"
    assert not left["tracing"], "tracemalloc was left running: is it stopped?"


check_SimpleProfiler_effects()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_SimpleProfiler_hidden_errors", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of SimpleProfiler: what fn raises, and what is left behind then.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_SimpleProfiler_errors():
    process = process_of(SimpleProfiler)
    before = process.state()
    for fails_in in (1, 2, 5, "tracing"):
        calls = []

        def fail(calls=calls, fails_in=fails_in):
            calls.append(1)
            if len(calls) == fails_in:
                raise OSError("from fn")

        tried = f"tried a function that raises OSError in call {fails_in}"
        try:
            SimpleProfiler().profile(FailWhileTracing() if fails_in == "tracing" else fail)
            raised = "nothing"
        except OSError as error:
            raised = f"OSError: {error}"
        except NotImplementedError:
            raise
        except Exception as error:
            raised = type(error).__name__
        left = process.state()
        process.reset(before["thresholds"])
        assert raised == "OSError: from fn", (
            f"{tried}: got {raised}, expected the OSError: what fn raises belongs to the caller"
        )
        collecting = left["collecting"] and left["thresholds"] == before["thresholds"]
        assert collecting, f"{tried}: the garbage collector was left off: put it back in finally"
        assert not left["tracing"], f"{tried}: tracemalloc was left running: stop it in finally"


check_SimpleProfiler_errors()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** An array that was just made has an address, but no memory yet. How many times as long as
# a later call does the first call take that writes into it?

# %%
my_guess = None  # first call divided by a later one


# %% tags=["ungraded"]
x = rng.standard_normal(4_000_000, dtype=np.float32)
fresh = np.empty_like(x)
calls = {
    "into a fresh array": lambda: np.maximum(x, np.float32(0), out=fresh),
    "vectorized_relu": lambda: vectorized_relu(x),
}
first_calls(call_by_call(calls), "ReLU of 4,000,000 elements, call by call", guess=my_guess)

# %% [markdown]
# The first call also waits for the operating system to hand out pages of memory. That is why a
# profiler warms up.

# %% [markdown]
# **Guess.** Two hundred runs of one ReLU of 10,000 elements. How many times longer than the
# fastest will the slowest take?

# %%
my_guess = None  # slowest divided by fastest


# %% tags=["ungraded"]
x = rng.standard_normal(10_000, dtype=np.float32)
times = race({"vectorized_relu": lambda: vectorized_relu(x)}, rounds=200, number=1)
times = times["vectorized_relu"]
histogram(times, "200 runs of one ReLU, 10,000 elements", guess=my_guess)
_, metrics = SimpleProfiler(repeats=200).profile(vectorized_relu, x)
print(f"SimpleProfiler: median {metrics['wall_time'] * 1e6:.1f}, ", end="")
print(f"minimum {metrics['min_time'] * 1e6:.1f} microseconds")

# %% [markdown]
# The same code, the same data. Whoever reports one run reports the state of the machine.
#
# **Optimize.** Which of `min_time` and `wall_time` would you compare two kernels by, and which
# would you promise to a user who waits? Run the cell again while a video plays.


# %% [markdown]
# **Guess.** `tracemalloc` notes every allocation. How many times as long does it make a list of
# 10,000 Python floats take?

# %%
my_guess = None  # times as long with tracing


# %% tags=["ungraded"]
x = rng.standard_normal(1_000_000, dtype=np.float32)
calls = {
    "10,000 Python floats": lambda: [value * 2.0 for value in range(10_000)],
    "one array of 1,000,000": lambda: vectorized_relu(x),
}
tracing_bars(tracing_cost(calls), "What tracemalloc costs", guess=my_guess)
print(timer())

# %% [markdown]
# Tracing is paid for each allocation, not for each byte: hence a pass of its own. And what is shorter
# than the clock's step has to be repeated within one reading.

# %% [markdown]
# `compare` of the lab takes turns, as `race` does, and lets your profiler measure the memory.
#
# **Guess.** How many times as fast as `matmul_baseline` is your blocked product? Below 1 is slower.

# %%
my_guess = None  # times as fast as matmul_baseline


# %% tags=["ungraded"]
A, B = rng.standard_normal((2, 256, 256), dtype=np.float32)
calls = {
    "matmul_baseline": lambda: matmul_baseline(A, B),
    "cache_friendly_matmul": lambda: cache_friendly_matmul(A, B, 64),
}
found = compare(calls, profiler=SimpleProfiler())
found.draw("Product of two 256 by 256 matrices", guess=my_guess)
found

# %% [markdown]
# A ratio smaller than the spread is no result.


# %% tags=["ungraded"]
def test_performance_profiling():
    check_SimpleProfiler()
    print("Step 5: the visible tests pass.")


test_performance_profiling()

# %% [markdown]
# ## Step 6. Compressed-model kernels
#
# The compression module turned float32 weights into int8 levels and a scale: `x` is about
# `q * scale`. An int8 model needs a quarter of the bytes. It is faster only if the kernel works
# on the levels themselves, and it is right only if no sum overflows on the way.
#
# ### quantized_matmul
#
# **What limits it.** One product of two int8 levels is at most 16,384, a sum of K of them K times
# that. An int8 sum can wrap around at the first product, an int16 sum at the second.
#
# | accumulator | holds every integer up to | largest safe K (products of up to 16,384) |
# |---|---|---|
# | int8 | 127 | 0 |
# | int16 | 32,767 | 1 |
# | float32 | 16,777,216 | 1,024 |
# | int32 | 2,147,483,647 | 131,071 |
#
# The third row is why a float32 product of whole numbers can be exact, and when it stops.
#
# **10 points**: main path 2, random instances 2, shapes 1, dtypes and inputs 3, errors 2.


# %% nbgrader={"grade": false, "grade_id": "quantized_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def quantized_matmul(
    A: ArrayLike, B: ArrayLike, scale_A: float = 1.0, scale_B: ArrayLike = 1.0
) -> Tensor:
    """Product of int8 levels with exact integer sums, as float32 (m, n). About ten lines.

    A: (m, k), B: (k, n). Levels are clip(round(x / scale), -128, 127); int8 inputs are levels
    already. Result: the exact sums (K up to 100,000) times scale_A * scale_B. scale_B may be a
    vector, one scale per column. ValueError: a scale that is not finite and > 0; shapes.

    >>> quantized_matmul([[0.5, 9.0]], [[1.0], [1.0]], scale_A=0.25, scale_B=1.0).data
    array([[9.5]], dtype=float32)
    """
    ### BEGIN SOLUTION
    a, b = matmul_operands(A, B)
    scale_a, scales_b = check_scale("scale_A", scale_A), check_scale("scale_B", scale_B, b.shape[1])
    out = np.empty((len(a), b.shape[1]), np.float32)
    # A piece at a time: levels and sums take 16 MiB at most, whatever the shapes are.
    for i in range(0, len(a), 1024):
        for j in range(0, b.shape[1], 1024):
            rows, columns = slice(i, i + 1024), slice(j, j + 1024)
            scale_b = scales_b if isinstance(scales_b, float) else scales_b[columns]
            target = out[rows, columns]
            sums = _exact_sums(a[rows], b[:, columns], scale_a, scale_b, target)
            with np.errstate(all="ignore"):  # a scale beyond float64 is an infinity
                rescale(sums, scale_a * scale_b, target)
    return Tensor(out)


def _exact_sums(
    a: np.ndarray, b: np.ndarray, scale_a: float, scale_b: float | np.ndarray, out: np.ndarray
) -> np.ndarray:
    """Exact product of the levels of a and b: in `out`, or in float64 where K is long.

    BLAS multiplies whole numbers in float32 far faster than NumPy does in integers. Up to
    K = 1,024 no sum exceeds 1,024 * 128 * 128 = 2**24, below which float32 holds every integer.
    """
    exact = 2**24 // 128**2
    sums = out if a.shape[1] <= exact else np.zeros(out.shape)
    for p in range(0, max(1, a.shape[1]), exact):
        left, right = a[:, p : p + exact], b[p : p + exact]
        qa = quantize(left, scale_a, out=scratch("a", left.shape, np.float32))
        qb = quantize(right, scale_b, out=scratch("b", right.shape, np.float32))
        np.matmul(qa, qb, out=out)
        if sums is not out:
            sums += out
    return sums
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# `quantize(x, scale)` from the compression module makes the levels. NumPy multiplies int8 arrays
# in int8: what has to happen to them first?
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Shapes with `matmul_operands`, scales with `check_scale("scale_A", scale_A)` and
# `check_scale("scale_B", scale_B, columns=n)`. Quantize both. Multiply in int32 or wider. Scale
# the sums and convert to float32. (NumPy's integer products are slow; the table above shows a
# faster way that is exact as well.)
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `sums = quantize(a, scale_A).astype(np.int32) @ quantize(b, scale_B).astype(np.int32)`, then
# `Tensor((sums * (scale_A * scale_B)).astype(np.float32))`.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_quantized_matmul", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_quantized_matmul():
    A = np.array([[0.5, -1.0, 0.24]], dtype=np.float32)
    B = np.array([[2.0], [4.0], [8.0]], dtype=np.float32)
    gives = np.array([[-1.0]], dtype=np.float32)
    cause = "the levels of A are 2, -4, 1 (rounded), their sum -2, and scale_A * scale_B is 0.5"
    expect_tensor(quantized_matmul, Tensor(A), Tensor(B), 0.25, 2.0, gives=gives, cause=cause)
    q = np.full((1, 300), 127, dtype=np.int8)
    gives = np.array([[300 * 127 * 127]], dtype=np.float32)
    cause = "a sum of int8 products needs an accumulator of at least 32 bits"
    expect_tensor(quantized_matmul, q, q.T, gives=gives, cause=cause)
    loud = np.array([[1000.0, -1000.0]], dtype=np.float32)
    gives, cause = np.float32([[127, -128]]), "beyond the last level a value saturates"
    expect_tensor(quantized_matmul, loud, np.eye(2), gives=gives, cause=cause)


check_quantized_matmul()


# %% nbgrader={"grade": true, "grade_id": "test_quantized_matmul_hidden_values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of quantized_matmul: levels, saturation, scales, one scale per column.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_quantized_matmul_values():
    rng = instances("quantized_matmul values")
    for m, k, n in [(1, 2, 2), (2, 3, 2), (9, 20, 4)]:
        scale_A, scale_B = (float(2.0 ** rng.integers(-5, 2)) for _ in "AB")
        # Quarters of a level: no value lies near a half, where rounding is anybody's choice.
        A = (rng.integers(-160, 161, (m, k)) + rng.choice([-0.25, 0.25], (m, k))) * scale_A
        B = (rng.integers(-160, 161, (k, n)) + rng.choice([-0.25, 0.25], (k, n))) * scale_B
        A, B = A.astype(np.float32), B.astype(np.float32)
        qa, qb = (np.clip(np.round(x / s), -128, 127) for x, s in ((A, scale_A), (B, scale_B)))
        gives = qa @ qb * scale_A * scale_B
        cause = "levels are clip(round(x / scale), -128, 127), the sum is times both scales"
        expect_values(quantized_matmul, A, B, scale_A, scale_B, gives=gives, cause=cause)
        expect_values(
            quantized_matmul, A, B, scale_A=scale_A, scale_B=scale_B, gives=gives, cause=cause
        )
        scales = 2.0 ** rng.integers(-5, 2, n)
        B = (B / scale_B * scales).astype(np.float32)
        gives = qa @ qb * scale_A * scales
        cause = "scale_B may be a vector: one scale per column of B, for levels and for results"
        expect_values(quantized_matmul, A, B, scale_A, scales, gives=gives, cause=cause)
    q = np.array([[10, -20, 127]], np.int8)
    gives = np.float32([[(100 + 400 + 127 * 127) * 0.125]])
    cause = "int8 inputs are levels already: the scales belong to the result only"
    expect_values(quantized_matmul, q, q.T, 0.5, 0.25, gives=gives, cause=cause)
    x = np.float32([[-1000.0, 1000.0, 127.5, 0.6, -0.6]])
    gives = np.float32([[-128.0, 127.0, 127.0, 1.0, -1.0]])
    cause = "round to the nearest level, then saturate at -128 and 127: no wrap-around"
    expect_values(quantized_matmul, x, np.eye(5, dtype=np.float32), gives=gives, cause=cause)


check_quantized_matmul_values()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_quantized_matmul_hidden_shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of quantized_matmul: one row, one column, nothing at all, views.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_quantized_matmul_shapes():
    rng = instances("quantized_matmul shapes")
    for m, k, n in [
        (1, 1, 1),
        (1, 4, 2),
        (3, 1, 2),
        (3, 0, 2),
        (0, 3, 2),
        (2, 3, 0),
        (7, 65, 9),
        (2, 1541, 3),
        (1030, 2, 1031),
    ]:
        A, B = (rng.integers(-128, 128, s).astype(np.int8) for s in ((m, k), (k, n)))
        gives = A.astype(np.int64) @ B.astype(np.int64)
        cause = f"shapes {(m, k)} and {(k, n)}: a sum over nothing is 0"
        expect_values(quantized_matmul, A, B, gives=gives, cause=cause)
    A, B = (rng.integers(-128, 128, s).astype(np.int8) for s in ((6, 5), (6, 8)))
    gives = A.T.astype(np.int64) @ B[:, ::-1].astype(np.int64)
    cause = "a transposed or reversed view is a matrix like any other"
    expect_values(quantized_matmul, A.T, B[:, ::-1], gives=gives, cause=cause)


check_quantized_matmul_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_quantized_matmul_hidden_dtypes", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of quantized_matmul: exact sums up to K = 100,000, float32 results, inputs kept.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_quantized_matmul_dtypes():
    rng = instances("quantized_matmul dtypes")
    for k in (2, 3, 300, 1025, 5000, 100_000):
        A, B = rng.integers(60, 128, (2, k)), rng.integers(60, 128, (k, 2))
        B[k // 2 :] *= -1  # the second half takes the sum back from beyond 2**24
        A, B = A.astype(np.int8), B.astype(np.int8)
        gives = (A.astype(np.int64) @ B.astype(np.int64)).astype(np.float32)
        cause = f"K = {k}: every partial sum must be exact"
        expect_tensor(quantized_matmul, A, B, gives=gives, cause=cause)
        expect_tensor(quantized_matmul, A * 1.0, B * 1.0, gives=gives, cause=cause)
    k = 1040  # half of it: an odd sum beyond 2**24, which a float32 sum would round
    A, B = np.full((1, 2 * k), -128, np.int8), np.full((2 * k, 1), -128, np.int8)
    A[0, 0], B[0, 0], B[k:] = 1, 1, 127
    gives = (A.astype(np.int64) @ B.astype(np.int64)).astype(np.float32)
    cause = "a partial sum beyond 2**24 is rounded in float32: fewer terms, or a wider accumulator"
    expect_tensor(quantized_matmul, A, B, gives=gives, cause=cause)
    q = np.full((1, 100_000), -128, np.int8)
    gives = np.float32([[128 * 128 * 100_000]])
    expect_tensor(quantized_matmul, q, q.T, gives=gives, cause="100,000 times 128 * 128")
    for dtype in (np.int8, np.float32, np.float64, np.int64):
        A, B = rng.integers(-99, 99, (2, 3)).astype(dtype), rng.integers(-99, 99, (3, 2)) * 1.0
        gives = (A.astype(np.int64) @ B * 0.25).astype(np.float32)
        cause = "the result is float32, whatever the inputs are"
        if dtype == np.int8:
            expect_tensor(quantized_matmul, A, B, 0.25, 1.0, gives=gives, cause=cause)
        expect_unchanged(quantized_matmul, A, B, 0.5, np.array([0.5, 0.25]))
        expect_unchanged(quantized_matmul, Tensor(A), Tensor(B), 0.5, 0.25)


check_quantized_matmul_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_quantized_matmul_hidden_errors", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of quantized_matmul: bad scales, and shapes that do not fit.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_quantized_matmul_errors():
    A, B = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)
    cause = "a scale must be finite and greater than zero"
    for bad in (0.0, -1.0, float("nan"), float("inf"), -float("inf")):
        for x, y in ((A, B), (A.astype(np.int8), B.astype(np.int8))):
            for scales in ((bad, 1.0), (1.0, bad), (1.0, [1.0, 1.0, bad, 1.0])):
                expect_error(ValueError, quantized_matmul, x, y, *scales, cause=cause)
    cause = "a vector of scales has one entry per column of B"
    for scale_B in ([1.0, 1.0, 1.0], [1.0], [1.0] * 5):
        expect_error(ValueError, quantized_matmul, A, B, 1.0, scale_B, cause=cause)
    cause = "the inner dimensions differ, or an input is not 2-D: refuse it, name both shapes"
    for a, b in [(A, B.T), (A, A), (A[0], B), (A, B[:, 0]), (A, B[None])]:
        shapes = str(a.shape), str(b.shape)
        expect_error(ValueError, quantized_matmul, a, b, mentions=shapes, cause=cause)


check_quantized_matmul_errors()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** With how many terms can a sum of products of levels be wrong for the first time, if it is
# held in float32?

# %%
my_guess = None  # terms


# %% tags=["ungraded"]
headroom(quantized_matmul, guess=my_guess)

# %% [markdown]
# Each accumulator fails one term after its largest safe K of the table above.

# %% [markdown]
# **Guess.** A small scale cuts off the large values, a large scale blurs the small ones. For
# numbers drawn from a standard normal distribution, which scale gives the smallest error of the
# product? (127 times the scale is the largest value that is not cut off.)

# %%
my_guess = None  # scale


# %% tags=["ungraded"]
A, B = rng.standard_normal((2, 256, 256), dtype=np.float32)
scale_tradeoff(sweep_scales(quantized_matmul, A, B), guess=my_guess)

# %% [markdown]
# Left of the best scale the product loses what was cut off, right of it what was rounded; the
# measured curve follows whichever is worse.
#
# **Optimize.** Put one value of 100 into A and run the cell again. What does a single outlier do
# to the best scale, and to the error of everything else?

# %% [markdown]
# **Guess.** How many times larger is the least error with 4 bits than with 8?

# %%
my_guess = None  # times larger


# %% tags=["ungraded"]
A, B = rng.standard_normal((2, 256, 256), dtype=np.float32)
bits_and_scale(sweep_bits(quantized_matmul, A, B), guess=my_guess)

# %% [markdown]
# A bit less nearly doubles the error, and moves the best scale towards cutting off.

# %% [markdown]
# ### quantized_relu
#
# **What limits it.** Bytes again, and there are a quarter as many. On levels, ReLU is one integer
# comparison, and zero is a level of its own: nothing is lost that quantization had kept.
#
# | x, at scale 1/127 | level | after ReLU | as float32 |
# |---|---|---|---|
# | -0.5 | -64 | 0 | 0.0 |
# | 0.5 | 64 | 64 | 0.504 |
# | 2.0 | 127 (saturated) | 127 | 1.0 |
#
# **4 points**: main path 1, random instances 1, dtypes and inputs 1, errors 1.


# %% nbgrader={"grade": false, "grade_id": "quantized_relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def quantized_relu(x: ArrayLike, scale: float = 1.0) -> Tensor:
    """max(q, 0) * scale as float32, with q the int8 levels of x. About four lines.

    x: any shape. q = clip(round(x / scale), -128, 127); int8 input is levels already. A scale
    that is not finite and > 0: ValueError.

    >>> quantized_relu([-1.0, 0.6, 300.0], scale=0.5).data
    array([ 0. ,  0.5, 63.5], dtype=float32)
    """
    ### BEGIN SOLUTION
    values, scale = as_array(x), check_scale("scale", scale)
    if values.size < 2**19:
        return Tensor(dequantize(np.maximum(quantize(values, scale), np.int8(0)), scale))
    # A part at a time, along the longest axis: levels and results of a part stay in the cache.
    out = np.empty(values.shape, np.float32)
    axis, parts = int(np.argmax(values.shape)), values.size // 2**18
    sources, targets = (np.array_split(array, parts, axis) for array in (values, out))
    for source, target in zip(sources, targets, strict=True):
        levels = quantize(source, scale)
        target[...] = dequantize(np.maximum(levels, np.zeros_like(levels)), scale)
    return Tensor(out)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Quantize, compare, dequantize. The middle one happens on int8.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# `check_scale("scale", scale)`, `quantize(as_array(x), scale)`, `np.maximum` with `np.int8(0)`,
# `dequantize(levels, scale)`, Tensor.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# Four calls inside each other, from the inside out: `quantize`, `np.maximum`, `dequantize`,
# `Tensor`. The check of the scale comes before them.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_quantized_relu", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_quantized_relu():
    x = np.array([2.0, -2.0, 0.5, -0.1], dtype=np.float32)
    gives = np.array([1.0, 0.0, 64 / 127, 0.0], dtype=np.float32)
    cause = "2.0 saturates at level 127 (1.0), 0.5 is level 64 (63.5 rounded), negatives become 0"
    expect_tensor(quantized_relu, Tensor(x), 1 / 127, gives=gives, cause=cause, rtol=1e-6)
    q = np.array([-128, -1, 0, 127], dtype=np.int8)
    gives = np.array([0, 0, 0, 63.5], dtype=np.float32)
    cause = "int8 inputs are levels already"
    expect_tensor(quantized_relu, q, scale=0.5, gives=gives, cause=cause)


check_quantized_relu()


# %% nbgrader={"grade": true, "grade_id": "test_quantized_relu_hidden_values", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of quantized_relu: levels and saturation; any shape.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_quantized_relu_values():
    rng = instances("quantized_relu values")
    for shape in [(2,), (), (0,), (1,), (3, 0, 2), (5, 7, 2), (1000,)]:
        scale = float(2.0 ** rng.integers(-7, 3))
        x = rng.integers(-300, 301, shape) + rng.choice([-0.25, 0.25], shape)
        x = np.asarray(x * scale, np.float32)
        gives = np.maximum(np.clip(np.round(x / scale), -128, 127), 0) * scale
        cause = "round to the nearest level, saturate at 127, negatives to 0, times the scale"
        expect_values(quantized_relu, x, scale, gives=gives, cause=cause)
        q = np.asarray(rng.integers(-128, 128, shape), np.int8)
        gives = np.maximum(q, 0) * scale
        expect_values(quantized_relu, q, scale, gives=gives, cause="int8 inputs are levels already")
    x = rng.integers(-300, 301, (3, 200_001)).astype(np.float32)
    gives = np.clip(x, 0, 127)
    expect_values(quantized_relu, x, gives=gives, cause="the same for 600,003 elements")
    x = x[:, :5]
    cause = "a transposed or reversed view is an array like any other"
    expect_values(quantized_relu, x.T[::-1], gives=np.clip(x.T[::-1], 0, 127), cause=cause)


check_quantized_relu_values()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_quantized_relu_hidden_dtypes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of quantized_relu: float32 results, precision, inputs left alone.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_quantized_relu_dtypes():
    rng = instances("quantized_relu dtypes")
    for dtype in (np.float16, np.float32, np.float64, np.int8, np.int64):
        x = rng.integers(-99, 100, 5).astype(dtype)
        x[0] = -7  # something to spoil, whatever was drawn
        cause = f"{x.dtype} in, float32 out"
        gives = np.maximum(x, 0).astype(np.float32)
        expect_tensor(quantized_relu, x, gives=gives, cause=cause)
        expect_unchanged(quantized_relu, x, 0.5)
        expect_unchanged(quantized_relu, Tensor(x), 0.5)
    x = np.array([1e300, -1e300, 1e18, 300.0])
    gives, cause = np.float32([127, 0, 127, 127]), "far beyond the last level it saturates too"
    expect_tensor(quantized_relu, x, gives=gives, cause=cause)


check_quantized_relu_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_quantized_relu_hidden_errors", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of quantized_relu: bad scales.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_quantized_relu_errors():
    cause = "a scale must be finite and greater than zero"
    for bad in (0.0, -1.0, float("nan"), float("inf"), -float("inf")):
        for x in (np.ones(3, np.float32), np.ones(3, np.int8), np.ones(0, np.float32)):
            expect_error(ValueError, quantized_relu, x, bad, cause=cause)


check_quantized_relu_errors()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** ReLU of ten million int8 levels against ten million float32: a quarter of the bytes.
# How many times faster is the comparison, `np.maximum`, on int8?

# %%
my_guess = None  # times faster than float32


# %% tags=["ungraded"]
x = rng.standard_normal(10_000_000, dtype=np.float32)
q = quantize(x, 0.03)
out_x, out_q, zeros = np.empty_like(x), np.empty_like(q), np.zeros_like(q)
times = race(
    {
        "float32": lambda: np.maximum(x, np.float32(0), out=out_x),
        "int8, zeros as an array": lambda: np.maximum(q, zeros, out=out_q),
        "int8, zero as a number": lambda: np.maximum(q, np.int8(0), out=out_q),
        "quantized_relu, from and to float32": lambda: quantized_relu(x, 0.03),
    },
    rounds=9,
)
bars(times, "ReLU of 10,000,000 elements", guess=my_guess)

# %% [markdown]
# If the second and the third bar differ, your NumPy has a SIMD loop for two int8 arrays and a
# plain one for an array and a number: fewer bytes help only when the loop that runs can use them.
# The last bar is the price of leaving the int8 world and coming back. An int8 model in production
# pays it at its two ends only. Ours, in the next section, pays it at every layer.


# %% tags=["ungraded"]
def test_compressed_kernels():
    check_quantized_matmul()
    check_quantized_relu()
    print("Step 6: the visible tests pass.")


test_compressed_kernels()

# %% [markdown] nbgrader={"grade": false, "grade_id": "question_scale", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Written question 3
#
# One output channel of a layer has weights a hundred times larger than all the others. Explain
# what a single scale for the whole weight matrix does to the other channels, what one scale per
# channel changes, and why the columns of the activations cannot each have a scale of their own.
# At most ten lines.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer_scale", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# One scale must cover the largest weight, so the other channels use one or two of the 127 levels
# and lose nearly all precision. With a scale per output channel each column uses all levels; the
# scale leaves the sum over k as a factor of the column. A scale per input channel would sit
# inside that sum and could not be taken out, so activations share one.
# ### END SOLUTION

# %% [markdown]
# Here is the case of the question, measured.
#
# **Guess.** One output channel has weights a hundred times larger. How many times larger does one
# scale for all make the error of the other channels?

# %%
my_guess = None  # times larger


# %% tags=["ungraded"]
A = rng.standard_normal((256, 256), dtype=np.float32)
W = rng.standard_normal((256, 32), dtype=np.float32)
W[:, 7] *= 100
channel_dots(channel_errors(quantized_matmul, A, W), guess=my_guess)

# %% [markdown]
# The outlier is as exact as before; the others pay. The remedy is one number per column.

# %% [markdown]
# ## A model on your kernels
#
# The network that the training module fitted to handwritten digits runs the held-out images
# through your kernels: float32 through the plain, the blocked and the parallel one, then int8 with
# one scale per output channel. Each line is the same network: only the kernels differ.
#
# **Guess.** How many percentage points of accuracy does int8 lose?

# %%
my_guess = None  # percentage points


# %% tags=["ungraded"]
mine = SimpleNamespace(
    matmul_baseline=matmul_baseline,
    vectorized_relu=vectorized_relu,
    cache_friendly_matmul=cache_friendly_matmul,
    parallel_batch_processing=parallel_batch_processing,
    quantized_matmul=quantized_matmul,
)
print(run_digits(mine) + you_guessed(my_guess))

# %% [markdown]
# The gain here is bytes: a quarter of them, at nearly the same accuracy. It is not time. These
# layers are small, so that calls, threads and conversions at every layer cost more than the
# products. Whether int8 is also faster is a question to the kernel, not to the number format.


# %% [markdown]
# **Guess.** With how few bits does the network still lose at most one percentage point?

# %%
my_guess = None  # bits


# %% tags=["ungraded"]
digits_accuracy(digits_by_bits(quantized_matmul, vectorized_relu), guess=my_guess)

# %% [markdown]
# A model forgives errors of its products, up to a point.


# %% [markdown]
# ## Expert part. Compiled kernels
#
# Everything so far called loops that somebody else had compiled. Here you write the loops, and
# Numba turns them into machine code for the processor at hand. Four kernels are yours, 20 points;
# two more are given. Plan three hours.
#
# | kernel | what it adds |
# |---|---|
# | `compiled_relu` | a loop of your own that becomes SIMD instructions |
# | `compiled_matmul` | packed panels, sums in registers, threads |
# | `fused_linear_relu` | bias and ReLU before the tile leaves its registers |
# | `sparse_matmul` | pruned weights: no arithmetic on zeros |
# | `compiled_quantized_matmul` (given) | int8 levels multiplied as integers |
# | a GPU in plain Python (given, but for three lines) | grid, blocks, shared memory, counted |
#
# You have three more helpers. `compiled(f)` is `numba.njit(f)` with two settings: the function
# runs without Python's lock, so that threads run it side by side, and it divides as NumPy does.
# `packed_instructions(f)` counts the SIMD arithmetic in what was compiled. `compilable(x, ...)`
# tells whether arrays are of the two dtypes that these kernels are written for, float32 and
# float64; everything else may go to NumPy.

# %% nbgrader={"grade": false, "grade_id": "setup_expert", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
from itertools import pairwise, product

from tinytorch.core import int8_packing, sparse_packing
from tinytorch.core.compression import SparseMatrix, to_sparse
from tinytorch.core.int8_packing import TALL, WIDE
from tinytorch.core.packing import STRIDE, WORTH_PACKING, in_c_order, pack_step, shares, step_count
from tinytorch.core.simd import COMPILED_DTYPES, COMPILING, compilable, compiled
from tinytorch.core.simd.int8 import add_dots, store_sums, zero_sums
from tinytorch.core.simd.rows import add_scaled, store_row, zero_row
from tinytorch.core.simd.tiles import (
    add_outer,
    add_row,
    add_tile,
    relu_tile,
    store_tile,
    tile_shape,
    zero_tile,
)
from tinytorch.core.sparse_packing import sparse_operands
from tinytorch.core.workers import MOST_WORKERS, cuts, run_pieces, worker_count

# %% nbgrader={"grade": false, "grade_id": "setup_expert_checks", "locked": true, "schema_version": 3, "solution": false, "task": false}
from tinytorch.core.compression import prune_magnitude

of_the_lesson.add(to_sparse=to_sparse)
from tinytorch.core.simd import packed_instructions, registers
from tinytorch.lab.gpu import cuda, launch, launch_on_gpu

# %% [markdown]
# ### From a Python loop to a SIMD loop
#
# One loop, written once, runs three times: as Python, at its first compiled call, and at a later
# one. The second line of the output counts the SIMD instructions that the compiler made of it. On
# x86 their names end in `ps` for float32 and `pd` for float64 (packed single, packed double); on
# ARM they work on registers named `v0.4s` or `v0.2d`.
#
# **Guess.** How many times faster than the Python loop is a later call, for a million elements?

# %%
my_guess = None  # times faster than the Python loop


# %% tags=["ungraded"]
def squared_diff_loop(x, y, out):
    for i in range(x.size):
        difference = x[i] - y[i]
        out[i] = difference * difference


compiled_loop = compiled(squared_diff_loop)
x, y = rng.standard_normal((2, 1_000_000), dtype=np.float32)
out = np.empty_like(x)
start = time.perf_counter()
compiled_loop(x, y, out)
first = time.perf_counter() - start
few = slice(0, 10_000)  # Python is timed on a hundredth of the elements, and scaled
times = race(
    {
        "Python": lambda: squared_diff_loop(x[few], y[few], out[few]),
        "compiled, later": lambda: compiled_loop(x, y, out),
    },
    rounds=7,
)
times["Python"] = [100 * t for t in times["Python"]]
bars(times | {"compiled, first call": [first]}, "A loop of 1,000,000 elements", guess=my_guess)
print("packed instructions:", packed_instructions(compiled_loop))
print(f"a register here holds {registers()[0] // 4} float32")

# %% [markdown]
# The first call paid for the compiler. The kernels of the installed package are compiled once and
# kept on disk; those of a notebook are compiled anew in every kernel.
#
# **Optimize.** A loop is only vectorized if its steps do not depend on each other. Replace the last
# line by `out[i] = difference + out[i - 1]` (start at 1) and look at the instructions again.

# %% [markdown]
# ### compiled_relu
#
# **What limits it.** In the cache, the number of elements that one instruction compares. Beyond
# it, memory, as in step 2; and for tiny arrays the way from Python into the kernel and back.
#
# | elements | bytes in and out, float32 | where they are |
# |---|---|---|
# | 1,000 | 8 KB | first cache |
# | 100,000 | 800 KB | second cache |
# | 20,000,000 | 160 MB | memory |
#
# Write the loop so that it has no branch worth the name: read, compare, choose, write. Then call
# it on the elements as a flat array. Threads are welcome for large arrays, but not asked for.
#
# **4 points**: main path 1, shapes 1, dtypes and inputs 1, mechanism 1.


# %% nbgrader={"grade": false, "grade_id": "compiled_relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def compiled_relu(x: ArrayLike, num_workers: int | None = None) -> Tensor:
    """max(x, 0) for every element, by a compiled loop of your own. About fifteen lines.

    x: as in `vectorized_relu`, and so is the result: any shape, 0-d too; NaN stays NaN. float32
    and float64 are compiled, other dtypes may go to NumPy. num_workers (not graded): threads at
    most, by default what the process may use.

    >>> compiled_relu([-2.0, 0.0, 3.0]).data
    array([0., 0., 3.], dtype=float32)
    """
    ### BEGIN SOLUTION
    values = x.data if type(x) is Tensor else as_array(x)  # no call: 3 % at 1,000 elements
    fit = values.dtype in COMPILED_DTYPES and values.flags.forc
    alone = values.size < 2**19 if num_workers is None else worker_count(num_workers, 2) == 1
    if fit and alone and values.ndim == 1:
        out = np.empty(values.shape, values.dtype)
        _relu_into(values, out)  # what follows would take as long as the loop over 1,000 elements
        return tensor_of(out)
    workers = worker_count(num_workers, values.size // 2**18)
    if not fit:
        return Tensor(np.maximum(values, values.dtype.type(0)))
    out = np.empty_like(values)
    # Flat views, in the order in which the elements lie in memory.
    source, target = values.ravel("K"), out.ravel("K")
    ends = pairwise(cuts(source.size, workers, multiple=16))
    run_pieces(_relu_into, [(source[i:j], target[i:j]) for i, j in ends])
    return Tensor(out)


@compiled
def _relu_into(source, target):
    zero = source.dtype.type(0)
    for i in range(source.size):
        value = source[i]
        target[i] = zero if value < zero else value  # NaN < 0 is False: NaN stays
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Two functions: a compiled one that fills `target` from `source`, both flat, and this one around
# it, which makes the result and returns a Tensor.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# `as_array(x)`; unless `compilable(values)`, one `np.maximum` as in step 2. Else the elements as a
# flat array, `values.ravel()`, an empty array like that for the loop to fill, and its
# `.reshape(values.shape)` as the result: so a 0-d array stays one. Which comparison leaves a NaN
# alone: `value > 0` or `value < 0`? A zero of the array's dtype (`source.dtype.type(0)`) keeps
# everything in one dtype.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# In the loop: `value = source[i]` and `target[i] = zero if value < zero else value`. The function
# that holds it has `@compiled` above its `def`, and `def` at the left margin of the same cell.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_compiled_relu", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_compiled_relu():
    x = np.random.default_rng(5).standard_normal((41, 67), dtype=np.float32)
    x[0, :3] = np.nan, -np.inf, np.inf
    cause = "max(x, 0); NaN stays NaN: a comparison with NaN is False"
    for values in (x[:1, :5], x):
        gives = np.maximum(values, 0)
        expect_tensor(compiled_relu, Tensor(values), gives=gives, cause=cause)


check_compiled_relu()


# %% nbgrader={"grade": true, "grade_id": "test_compiled_relu_hidden_shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of compiled_relu: any number of dimensions, no elements, views.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_compiled_relu_shapes():
    rng = instances("compiled_relu shapes")
    for shape in [(), (0,), (1,), (7,), (3, 0, 2), (5, 7, 2), (1001,), (70_001,), (600_003,)]:
        x = np.asarray(rng.standard_normal(shape), dtype=np.float32)
        cause = f"shape {shape}: the result has the same, the last element included"
        expect_values(compiled_relu, x, gives=np.maximum(x, 0), cause=cause)
    x = rng.standard_normal((60, 80)).astype(np.float32)
    for view in (x.T, x[::2, ::-1], np.asfortranarray(x)):
        cause = "a transposed, reversed or Fortran-ordered view is an array like any other"
        expect_values(compiled_relu, view, gives=np.maximum(view, 0), cause=cause)


check_compiled_relu_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_compiled_relu_hidden_dtypes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of compiled_relu: dtypes, digits, inputs left alone.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_compiled_relu_dtypes():
    rng = instances("compiled_relu dtypes")
    for dtype in (np.float32, np.float64, np.float16, np.int8, np.int64):
        x = rng.integers(-9, 10, 50).astype(dtype)
        cause = f"{x.dtype} in, {x.dtype} out"
        gives = np.where(x > 0, x, 0).astype(dtype)
        expect_tensor(compiled_relu, x, gives=gives, cause=cause)
        expect_unchanged(compiled_relu, x)
    x = np.array([1 / 3, -1 / 3, 2e300])
    cause = "float64 stays float64 all the way"
    expect_tensor(compiled_relu, x, gives=np.maximum(x, 0), cause=cause)
    x = np.array([2**40 + 1, -5])
    cause = "an int64 does not fit into a float"
    expect_tensor(compiled_relu, x, gives=np.maximum(x, 0), cause=cause)
    expect_unchanged(compiled_relu, Tensor(x))
    x = np.array([-1.0, 2.0], np.float32)
    x.flags.writeable = False
    cause = "an array that may only be read is an input like any other"
    expect_tensor(compiled_relu, x, gives=np.maximum(x, 0), cause=cause)


check_compiled_relu_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_compiled_relu_hidden_mechanism", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of compiled_relu: Python lines run, for few and for many elements.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_compiled_relu_mechanism():
    rng = instances("compiled_relu mechanism")

    def gives(x):
        return np.maximum(x, 0)

    expect_no_loop(compiled_relu, lambda n: (rng.standard_normal(n, dtype=np.float32),), gives)


check_compiled_relu_mechanism()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** Beside `vectorized_relu`, which calls NumPy: how many times faster is your loop for
# 100,000 elements, on one thread?

# %%
my_guess = None  # times faster than vectorized_relu


# %% tags=["ungraded"]
sizes = [1_000, 10_000, 100_000, 1_000_000, 10_000_000]
names = ["one thread", "several threads", "vectorized_relu"]
faster = {name: [] for name in names}
for n in sizes:
    x = rng.standard_normal(n, dtype=np.float32)
    calls = [partial(compiled_relu, x, 1), partial(compiled_relu, x), partial(vectorized_relu, x)]
    times = race(dict(zip(names, calls, strict=True)), rounds=9)
    for name in names:
        gain = statistics.median(times["vectorized_relu"]) / statistics.median(times[name])
        faster[name].append(gain)
lines(
    {name: (sizes, gains) for name, gains in faster.items()},
    xlabel="elements",
    ylabel="times faster than vectorized_relu",
    caption=f"On one thread {faster['one thread'][2]:.2g} times at 100,000 elements; at best "
    f"{max(faster['one thread']):.2g} times, with threads {max(faster['several threads']):.2g}.",
    guess_y=my_guess,
)

# %% [markdown]
# Where a curve comes near 1, something else than the loop is the limit: at the left the call, at
# the right the memory, to which all have the same road. Threads wait until there is enough to
# share: they cost tens of microseconds to ask.
#
# **Optimize.** Count the instructions of your compiled function with `packed_instructions`: one of
# them compares and chooses at once. Then turn the comparison round (`value if value > zero else
# zero`), count again, and run the test above: what became of NaN?

# %% [markdown]
# ### compiled_matmul: a ladder
#
# **What limits it.** A core with registers of 16 float32 can finish 64 float32 operations in a
# cycle (two multiply-adds on 16 numbers each). It must not wait for a single operand that often,
# so nearly all operands have to come from registers and from the first cache.
#
# The next cells climb in single steps. All of them compute the same product, each removes one
# obstacle of the one before:
#
# | rung | what changes |
# |---|---|
# | i-j-k | the three loops of step 1, compiled |
# | i-k-j | the inner loop runs along rows of B and C, so it can be vectorized |
# | row slices | the two rows are taken once, outside the inner loop |
# | blocked, `min` inside | tiles; the inner range ends at `min(j0 + block, n)` |
# | blocked, row slices | the same tiles, the rows cut outside the inner loop |
# | register tile | a block of C stays in registers while k runs |
# | packed panel | the rows of B that a tile reads lie next to each other |


# %% tags=["ungraded"]
@compiled
def loops_ijk(A, B, C):
    for i in range(A.shape[0]):
        for j in range(B.shape[1]):
            total = C.dtype.type(0)
            for p in range(A.shape[1]):
                total += A[i, p] * B[p, j]
            C[i, j] = total


@compiled
def loops_ikj(A, B, C):
    C[:] = 0
    for i in range(A.shape[0]):
        for p in range(A.shape[1]):
            for j in range(B.shape[1]):
                C[i, j] += A[i, p] * B[p, j]


# %% tags=["ungraded"]
@compiled
def row_slices(A, B, C):
    C[:] = 0
    for i in range(A.shape[0]):
        target = C[i]
        for p in range(A.shape[1]):
            factor, row = A[i, p], B[p]
            for j in range(len(row)):
                target[j] += factor * row[j]


# %% tags=["ungraded"]
@compiled
def min_inside(A, B, C, block=128):
    C[:] = 0
    for j0 in range(0, B.shape[1], block):
        for p0 in range(0, B.shape[0], block):
            for i in range(A.shape[0]):
                for p in range(p0, min(p0 + block, B.shape[0])):
                    for j in range(j0, min(j0 + block, B.shape[1])):
                        C[i, j] += A[i, p] * B[p, j]


@compiled
def blocked_slices(A, B, C, block=128):
    C[:] = 0
    for j0 in range(0, B.shape[1], block):
        for p0 in range(0, B.shape[0], block):
            for i in range(A.shape[0]):
                target = C[i, j0 : j0 + block]
                for p in range(p0, min(p0 + block, B.shape[0])):
                    factor, row = A[i, p], B[p, j0 : j0 + block]
                    for j in range(len(row)):
                        target[j] += factor * row[j]


# %% [markdown]
# The last two rungs use the vocabulary of `tinytorch.core.simd`. A *tile* is a small block of C,
# as large as the registers allow: `tile_shape(C)` says how many rows and columns. `zero_tile`
# makes one, `add_outer` adds the outer product of a column of A and a row of B to it, with one
# multiply-add per register, and `store_tile` writes it to C.
#
# ```
#                 p-th row of B, `wide` numbers
#               [ b b b b b b b b ]
#       [ a ]   +-----------------+
#       [ a ]   | every number of |     each number that is loaded is used `wide` or `tall`
#       [ a ]   | C's tile stays  |     times; the sums are not loaded at all
#       [ a ]   | in a register   |
#    p-th column of A, `tall` numbers
# ```
#
# Reading B this way jumps from row to row, a page of memory each. Packing copies the columns that
# a tile needs into one piece first; the copy is used by every tile below.


# %% tags=["ungraded"]
@compiled
def register_tile(A, B, C):
    """Whole tiles only. Arrays count as flat: element (i, p) of A is number i * k + p."""
    tall, wide = tile_shape(C)
    k, n = B.shape
    for j in range(0, n - wide + 1, wide):
        for i in range(0, len(A) - tall + 1, tall):
            tile = zero_tile(C)
            for p in range(k):
                tile = add_outer(tile, A, i * k + p, k, B, p * n + j)
            store_tile(tile, C, i, j)


@compiled
def packed_panel(A, B, C):
    tall, wide = tile_shape(C)
    k, n = B.shape
    for j in range(0, n - wide + 1, wide):
        panel = np.ascontiguousarray(B[:, j : j + wide])
        for i in range(0, len(A) - tall + 1, tall):
            tile = zero_tile(C)
            for p in range(k):
                tile = add_outer(tile, A, i * k + p, k, panel, p * wide)
            store_tile(tile, C, i, j)


# %% [markdown]
# **Guess.** 96 rows times a matrix of 960 by 960, which takes 3.5 MiB. How many times faster than
# i-j-k is the packed panel?

# %%
my_guess = None  # times faster than the first rung


# %% tags=["ungraded"]
rungs = [loops_ijk, loops_ikj, row_slices, min_inside, blocked_slices, register_tile, packed_panel]
n = 960
if not COMPILING:  # under NUMBA_DISABLE_JIT=1 loops are Python, and there are no registers
    rungs, n = rungs[:5], 24
A, B = (rng.standard_normal(shape, np.float32) for shape in ((96, n), (n, n)))
C, first_calls = np.empty((96, n), np.float32), {}
for rung in rungs:
    start = time.perf_counter()
    rung(A, B, C)
    first_calls[rung.__name__] = time.perf_counter() - start
    assert np.allclose(C, A @ B, rtol=1e-3, atol=1e-3), rung.__name__
times = race({rung.__name__: partial(rung, A, B, C) for rung in rungs}, rounds=5)
bars(times, f"96 x {n} x {n}", guess=my_guess, about=rungs[-1].__name__)

# %% tags=["ungraded"]
print(f"{'rung':<16}{'GFLOP/s':>8}{'first call':>12}   packed instructions")
for rung in rungs:
    name, counts = rung.__name__, packed_instructions(rung)
    speed = 2 * 96 * n**2 / statistics.median(times[name]) / 1e9
    print(f"{name:<16}{speed:>8.1f}{first_calls[name]:>10.2f} s   {counts or 'none'}")

# %% [markdown]
# Read the table from top to bottom, one cause at a time. i-j-k jumps through B and has nothing
# that could be vectorized. i-k-j walks along rows. Whether row slices gain anything depends on
# the compiler's version: older ones did not vectorize two indices. The `min` in an inner range
# hides from the compiler how often the loop runs, and the SIMD instructions are gone; with the
# slice cut outside they are back. Blocking gains little of its own while B fits a cache. The
# largest step is the register tile. Packing copies B once for 96 rows of A: whether that pays
# here, the last two bars say; the more rows use the copy, and the less of B a cache holds, the
# more it does.
#
# **Optimize.** Run the ladder with 64 by 64 matrices in place of 960. Which rungs lose their
# advantage, and which cause has gone?

# %% [markdown]
# ### compiled_matmul: the last rung
#
# What `packed_panel` lacks is the edge: matrices that are not made of whole tiles, panels that
# are too long for a cache, and threads. Helpers do the dull part, and you write the kernel
# around them.
#
# | helper | what it does |
# |---|---|
# | `worker_count(num_workers, useful)` | how many threads: at most `num_workers`, at most `useful`, at least one; refuses a `num_workers` below one |
# | `in_c_order(A, dtype)` | A in row-major order and of that dtype, so that the compiler meets one type of array, not twelve. Above 24 MiB A comes back as it is: `pack_step` reads any order and dtype, `add_outer` does not |
# | `shares(C, k, workers)` | a list of `(place, block, panel)`, one for each thread: its part of C, and room for packed rows of A and columns of B |
# | `step_count(A, C, place)` | how many steps the product of a place is cut into, so that its pieces fit the caches |
# | `pack_step(step, A, B, C, place, block, panel)` | packs what a step needs and returns `i0, i1, j0, j1, p, depth`: the step adds `A[i0:i1, p : p + depth] @ B[p : p + depth, j0:j1]` to its part of C |
# | `add_tile(tile, C, i, j)`, `store_tile(tile, C, i, j)` | add and write what lies within C |
# | `run_pieces(f, pieces)` | calls `f(*piece)` for each, on as many threads |
#
# In the packed block, row i of A starts at `x = (i - i0) * STRIDE`, and its next number follows. In
# the packed panel, the columns that a tile at column j reads start at `y = (j - j0) * depth`, and
# their next row stands `wide` numbers further. A k beyond 256 comes in several parts: all but the
# first add to what is in C already.
#
# **6 points**: main path 1, random instances 1, shapes 1, dtypes and inputs 1, errors 1, mechanism
# 1.


# %% nbgrader={"grade": false, "grade_id": "compiled_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def compiled_matmul(A: ArrayLike, B: ArrayLike, num_workers: int | None = None) -> Tensor:
    """Matrix product by a compiled kernel of your own. About twenty lines.

    A: (m, k), B: (k, n), any sizes. Returns a new Tensor (m, n) of dtype `np.result_type(A, B)`.
    float32 and float64 are compiled, other dtypes may go to `matmul`. ValueError: shapes as in
    `matmul_baseline`. num_workers (not graded): threads at most.

    >>> compiled_matmul([[1.0, 2.0]], [[3.0], [4.0]]).data
    array([[11.]], dtype=float32)
    """
    ### BEGIN SOLUTION
    a, b = matmul_operands(A, B)
    (m, k), n = a.shape, b.shape[1]
    workers = worker_count(num_workers, m * n * k // 2**22)  # less is not worth waking a thread
    if not compilable(a, b) or m * n * k <= WORTH_PACKING:
        return Tensor(matmul(a, b))
    C = np.empty((m, n), np.result_type(a, b))
    a, b = in_c_order(a, C.dtype), in_c_order(b, C.dtype)
    run_pieces(_multiply_into, [(a, b, C, *share) for share in shares(C, k, workers)])
    return Tensor(C)


@compiled
def _multiply_into(A, B, C, place, block, panel):
    """C = A @ B within place, tile by tile."""
    tall, wide = tile_shape(C)
    for step in range(step_count(A, C, place)):
        i0, i1, j0, j1, p, depth = pack_step(step, A, B, C, place, block, panel)
        for j in range(j0, j1, wide):
            for i in range(i0, i1, tall):
                x, y = (i - i0) * STRIDE, (j - j0) * depth
                tile = zero_tile(C)
                for q in range(depth):
                    tile = add_outer(tile, block, x + q, STRIDE, panel, y + q * wide)
                if p > 0:
                    tile = add_tile(tile, C, i, j)
                store_tile(tile, C, i, j)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Any compiled kernel that is right has all the points: `row_slices` is one, once shapes and dtypes
# are checked. Copy its loop into this cell (only cells marked `#| export` end up in your package),
# and climb from there.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Outside: `matmul_operands`, a C of the right dtype, and one piece of work `(a, b, C, *share)` for
# each of the `shares(C, k, workers)`, where `workers = worker_count(num_workers, m * n * k //
# 2**22)`: less work than that is not worth a thread. Inside: a loop over the steps, in it the two loops over tiles that
# `packed_panel` has, now from j0 to j1 and from i0 to i1, and in them its innermost loop with
# `depth` turns. If `p > 0`, C holds the sum of the earlier parts: `add_tile` it.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# `for step in range(step_count(A, C, place)):`, in it the line of `pack_step` from the table, then
# `for j in range(j0, j1, wide):` and `for i in range(i0, i1, tall):`. For each tile a
# `zero_tile(C)`, then `tile = add_outer(tile, block, x + q, STRIDE, panel, y + q * wide)` for each
# q below depth, then `add_tile` where p > 0, then `store_tile`.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_compiled_matmul", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_compiled_matmul():
    rng = np.random.default_rng(6)
    A = rng.integers(-4, 5, (29, 40)).astype(np.float32)
    B = rng.integers(-4, 5, (40, 67)).astype(np.float32)
    for m, n in [(2, 2), (29, 67)]:
        a, b = A[:m], np.ascontiguousarray(B[:, :n])
        cause = f"shapes {a.shape} and {b.shape}: are the last rows and columns done?"
        expect_tensor(compiled_matmul, Tensor(a), Tensor(b), gives=a @ b, cause=cause)
    A, B = (rng.integers(-4, 5, s).astype(np.float32) for s in ((5, 1100), (1100, 70)))
    cause = "k = 1,100 may come in several parts: is C's tile added to, or overwritten?"
    expect_tensor(compiled_matmul, A, B, gives=A @ B, cause=cause)


check_compiled_matmul()


# %% nbgrader={"grade": true, "grade_id": "test_compiled_matmul_hidden_values", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of compiled_matmul: random matrices, small and large.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_compiled_matmul_values():
    rng = instances("compiled_matmul values")
    for m, k, n in [(2, 2, 2), (16, 16, 16), (64, 64, 64), (128, 128, 128), (192, 96, 160)]:
        A, B = (rng.integers(-9, 10, s).astype(np.float32) for s in ((m, k), (k, n)))
        cause = "is every row of A multiplied with every column of B?"
        expect_values(compiled_matmul, A, B, gives=A @ B, cause=cause)
    A, B = rng.standard_normal((2, 130, 130), dtype=np.float32)
    gives = A.astype(np.float64) @ B
    expect_values(compiled_matmul, A, B, gives=gives, cause=cause, rtol=1e-4, atol=1e-3)


check_compiled_matmul_values()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_compiled_matmul_hidden_shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of compiled_matmul: ragged, empty, long and wide shapes, views.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_compiled_matmul_shapes():
    rng = instances("compiled_matmul shapes")
    sizes = [(1, 1, 1), (3, 5, 2), (3, 0, 2), (0, 3, 2), (3, 2, 0), (13, 31, 33), (1, 700, 9)]
    for m, k, n in [*sizes, (70, 1, 130), (70, 600, 130), (73, 100, 129), (13, 300, 1101)]:
        A, B = (rng.integers(-4, 5, s).astype(np.float32) for s in ((m, k), (k, n)))
        cause = f"shapes {(m, k)} and {(k, n)}: what no tile divides is done too"
        expect_values(compiled_matmul, A, B, gives=A @ B, cause=cause)
    A, B = rng.integers(-4, 5, (2, 70, 70)).astype(np.float32)
    cause = "views are matrices like any other"
    expect_values(compiled_matmul, A.T, B[:, ::-1], gives=A.T @ B[:, ::-1], cause=cause)


check_compiled_matmul_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_compiled_matmul_hidden_dtypes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of compiled_matmul: dtypes, precision, inputs left alone.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_compiled_matmul_dtypes():
    rng = instances("compiled_matmul dtypes")
    f4, f8, i8 = np.float32, np.float64, np.int64
    for left, right in [(f4, f4), (f8, f8), (f4, f8), (f8, f4), (i8, i8)]:
        for m, k, n in [(2, 3, 2), (70, 70, 70)]:
            A, B = rng.integers(-4, 5, (m, k)).astype(left), rng.integers(-4, 5, (k, n))
            B = B.astype(right)
            cause = f"{A.dtype} with {B.dtype} gives {np.result_type(A, B)}"
            expect_tensor(compiled_matmul, A, B, gives=A @ B, cause=cause)
            expect_unchanged(compiled_matmul, A, B)
    A, B = rng.standard_normal((2, 90, 90))
    cause = "float64 in, float64 all the way"
    expect_tensor(compiled_matmul, A, B, gives=A @ B, cause=cause, rtol=1e-9, atol=1e-9)
    expect_unchanged(compiled_matmul, Tensor(A), Tensor(B))
    expect_unchanged(compiled_matmul, *np.ones((2, 3, 3), np.float32))


check_compiled_matmul_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_compiled_matmul_hidden_errors", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of compiled_matmul: shapes that do not fit.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_compiled_matmul_errors():
    A, B = np.ones((2, 3), np.float32), np.ones((4, 5), np.float32)
    cause = "a compiled loop does not check its indices: check the shapes before it"
    for a, b in [(A, B), (A, A), (A[0], B), (A.T, B[0]), (A, B[None])]:
        shapes = str(a.shape), str(b.shape)
        expect_error(ValueError, compiled_matmul, a, b, mentions=shapes, cause=cause)


check_compiled_matmul_errors()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_compiled_matmul_hidden_mechanism", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of compiled_matmul: Python lines run, for few and for many elements.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_compiled_matmul_mechanism():
    rng = instances("compiled_matmul mechanism")

    def make(n):
        return tuple(rng.standard_normal((2, round(n**0.5), round(n**0.5))))

    expect_no_loop(compiled_matmul, make, lambda A, B: A @ B)


check_compiled_matmul_mechanism()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** `@` is the work of many years. Which fraction of its speed does your kernel reach for
# two 768 by 768 matrices, both on one thread?

# %%
my_guess = None  # 1.0 is as fast as numpy @


# %% tags=["ungraded"]
sizes = [48, 96, 192, 384, 768] if COMPILING else [8, 16, 32]
speeds = {"numpy @": [], "compiled_matmul": [], "with threads": [], "i-k-j": []}
for n in sizes:
    A, B = rng.standard_normal((2, n, n), dtype=np.float32)
    calls = {
        "numpy @": partial(np.matmul, A, B),
        "compiled_matmul": partial(compiled_matmul, A, B, 1),
        "with threads": partial(compiled_matmul, A, B),
        "i-k-j": partial(loops_ikj, A, B, np.empty_like(A)),
    }
    assert np.allclose(compiled_matmul(A, B).data, A @ B, rtol=1e-3, atol=1e-3)
    for name, seconds in race(calls, rounds=7).items():
        speeds[name].append(2 * n**3 / statistics.median(seconds) / 1e9)
share = speeds["compiled_matmul"][-1] / speeds["numpy @"][-1]
lines(
    {name: (sizes, values) for name, values in speeds.items()},
    xlabel="n, for matrices of n by n",
    ylabel="GFLOP/s, numpy @ on one thread",
    caption=f"At n = {n} compiled_matmul runs at {share:.2f} of numpy @ on one thread, "
    f"at {speeds['with threads'][-1] / speeds['numpy @'][-1]:.2f} with threads."
    + you_guessed(my_guess),
)

# %% [markdown]
# A core has a ceiling, and two of the lines run along under it. What is left between them is
# decided by details: how the edges are done, what is fetched ahead of time, how much is packed.
# Threads bring a ceiling each, once there is enough to share.
#
# **Optimize.** Which n is the first at which threads pay? Each of them packs panels of its own:
# what would they gain by sharing them?


# %% [markdown]
# ### fused_linear_relu
#
# **What limits it.** A layer is a product, a bias and a ReLU. In NumPy these are three passes, and
# each writes an array as large as the result. For a large result the second and third pass wait
# for memory, twice.
#
# | pass | reads, in results | writes, in results |
# |---|---|---|
# | `x @ W` | | 1 |
# | `+ b` | 1 | 1 |
# | ReLU | 1 | 1 |
# | fused, all three | | 1 |
#
# In your kernel the tile is in registers when its sum is complete. That is the moment: a row of
# the bias is added (`add_row(tile, bias, j)`), the negative numbers go (`relu_tile(tile)`), and
# only then is the tile written.
#
# **5 points**: main path 1, shapes 1, dtypes and inputs 1, errors 1, mechanism 1.


# %% nbgrader={"grade": false, "grade_id": "fused_linear_relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def fused_linear_relu(
    x: ArrayLike, W: ArrayLike, b: ArrayLike, num_workers: int | None = None
) -> Tensor:
    """relu(x @ W + b), the result written once. About twenty-five lines.

    x: (batch, in), W: (in, out), b: (out,). Returns a new Tensor (batch, out) of dtype
    `np.result_type(x, W, b)`; NaN stays NaN. float32 and float64 are compiled. Shapes that do
    not fit: ValueError with the shapes. num_workers (not graded): threads at most.

    >>> fused_linear_relu([[1.0, 2.0]], [[1.0, -1.0], [1.0, 0.0]], [0.5, 0.5]).data
    array([[3.5, 0. ]], dtype=float32)
    """
    ### BEGIN SOLUTION
    a, w = matmul_operands(x, W)
    bias = as_array(b)
    (m, k), n = a.shape, w.shape[1]
    if bias.shape != (n,):
        raise ValueError(f"W {w.shape} needs a bias of shape {(n,)}, got {bias.shape}")
    workers = worker_count(num_workers, m * n * k // 2**22)
    small = m * n * k <= WORTH_PACKING
    if small and m * n < 2**16:
        out = a @ w + bias
        return Tensor(np.maximum(out, out.dtype.type(0), out=out))
    out = np.empty((m, n), np.result_type(a, w, bias))
    if small or not compilable(a, w, bias):
        for i, j in product(range(0, m, 64), range(0, n, 2**14)):  # parts: no second such array
            columns = slice(j, j + 2**14)
            part = out[i : i + 64, columns]
            part[...] = matmul(a[i : i + 64], w[:, columns]) + bias[columns]
            np.maximum(part, out.dtype.type(0), out=part)
        return Tensor(out)
    a, w = in_c_order(a, out.dtype), in_c_order(w, out.dtype)
    padded = np.zeros(n + 64, out.dtype)  # the last tile may read on beyond the last column
    padded[:n] = bias
    pieces = [(a, w, padded, out, *share) for share in shares(out, k, workers)]
    run_pieces(_linear_relu_into, pieces)
    return Tensor(out)


@compiled
def _linear_relu_into(A, B, bias, C, place, block, panel):
    """C = relu(A @ B + bias) within place, tile by tile."""
    tall, wide = tile_shape(C)
    for step in range(step_count(A, C, place)):
        i0, i1, j0, j1, p, depth = pack_step(step, A, B, C, place, block, panel)
        for j in range(j0, j1, wide):
            for i in range(i0, i1, tall):
                x, y = (i - i0) * STRIDE, (j - j0) * depth
                tile = zero_tile(C)
                for q in range(depth):
                    tile = add_outer(tile, block, x + q, STRIDE, panel, y + q * wide)
                if p > 0:
                    tile = add_tile(tile, C, i, j)
                if p + depth == A.shape[1]:  # the sum is complete, and still in registers
                    tile = relu_tile(add_row(tile, bias, j))
                store_tile(tile, C, i, j)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# It is the kernel of the question before, with two lines more. Write it out again: a kernel that
# calls a kernel would have written the tile already.
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# Check the shape of the bias yourself. Give the compiled function the bias as one more array. The
# sum of a tile is complete when its last part of k is in: `p + depth == A.shape[1]`. The last tile
# of a row may read the bias beyond its end, so pass a copy that is 64 zeros longer.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# Before `store_tile`: `if p + depth == A.shape[1]: tile = relu_tile(add_row(tile, bias, j))`.
# Without tiles, with `zero = C.dtype.type(0)`: after the loop over k, `value = C[i, j] + bias[j]` and
# `C[i, j] = zero if value < zero else value`, row by row while the row is in the cache.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_fused_linear_relu", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_fused_linear_relu():
    rng = np.random.default_rng(7)
    x = rng.integers(-4, 5, (29, 40)).astype(np.float32)
    W = rng.integers(-4, 5, (40, 67)).astype(np.float32)
    b = rng.integers(-40, 41, 67).astype(np.float32)
    cause = "the bias belongs to the columns, and ReLU comes after it"
    for n in (2, 67):
        w, bias = np.ascontiguousarray(W[:, :n]), b[:n]
        gives = np.maximum(x[:n] @ w + bias, 0)
        given = Tensor(x[:n]), Tensor(w), Tensor(bias)
        expect_tensor(fused_linear_relu, *given, gives=gives, cause=cause)
    x, W = (rng.integers(-4, 5, s).astype(np.float32) for s in ((5, 1100), (1100, 67)))
    cause = "k = 1,100 may come in several parts: the bias is added once, ReLU comes last"
    gives = np.maximum(x @ W + b, 0)
    expect_tensor(fused_linear_relu, x, W, b, gives=gives, cause=cause)


check_fused_linear_relu()


# %% nbgrader={"grade": true, "grade_id": "test_fused_linear_relu_hidden_shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of fused_linear_relu: ragged, empty, long and wide shapes, views.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_fused_linear_relu_shapes():
    rng = instances("fused_linear_relu shapes")
    sizes = [(1, 1, 1), (2, 3, 2), (3, 0, 2), (0, 3, 2), (13, 31, 33), (64, 64, 64)]
    for m, k, n in [*sizes, (70, 600, 130), (73, 100, 129), (200, 40, 67), (13, 300, 1101)]:
        x, W, b = (rng.integers(-4, 5, s).astype(np.float32) for s in ((m, k), (k, n), n))
        cause = f"shapes {(m, k)}, {(k, n)} and {(n,)}: what no tile divides is done too"
        expect_values(fused_linear_relu, x, W, b, gives=np.maximum(x @ W + b, 0), cause=cause)
    x, W, b = (rng.integers(-4, 5, s).astype(np.float32) for s in ((70, 70), (70, 70), 140))
    gives = np.maximum(x.T @ W[:, ::-1] + b[::2], 0)
    cause = "views are arrays like any other"
    expect_values(fused_linear_relu, x.T, W[:, ::-1], b[::2], gives=gives, cause=cause)


check_fused_linear_relu_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_fused_linear_relu_hidden_dtypes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of fused_linear_relu: dtypes, precision, NaN, inputs left alone.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_fused_linear_relu_dtypes():
    rng = instances("fused_linear_relu dtypes")
    f4, f8, i8 = np.float32, np.float64, np.int64
    for kinds in [(f4, f4, f4), (f8, f8, f8), (i8, i8, i8), (f4, f8, f4), (f4, f4, f8)]:
        for m, k, n in [(2, 3, 2), (70, 70, 70)]:
            shapes = (m, k), (k, n), n
            x, W, b = (rng.integers(-4, 5, s).astype(t) for s, t in zip(shapes, kinds, strict=True))
            cause = f"{x.dtype}, {W.dtype} and {b.dtype} give {np.result_type(x, W, b)}"
            gives = np.maximum(x @ W + b, 0)
            expect_tensor(fused_linear_relu, x, W, b, gives=gives, cause=cause)
            expect_unchanged(fused_linear_relu, x, W, b)
    for m, n in [(65, 1100), (2, 16_385), (5, 16_385)]:
        x, W, b = np.ones((m, 2), i8), rng.integers(-4, 5, (2, n)), rng.integers(-4, 5, n)
        gives, cause = np.maximum(x @ W + b, 0), "integers too, in many rows and columns"
        expect_tensor(fused_linear_relu, x, W, b, gives=gives, cause=cause)
    x, W, b = (rng.standard_normal(s) for s in ((90, 90), (90, 90), 90))
    gives = np.maximum(x @ W + b, 0)
    cause = "float64 in, float64 all the way"
    expect_tensor(fused_linear_relu, x, W, b, gives=gives, cause=cause, rtol=1e-9, atol=1e-9)
    x, W, b = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32), np.zeros(4, np.float32)
    x[0, 1], b[2] = np.nan, -np.inf
    gives = np.array([[np.nan] * 4, [3, 3, 0, 3]], np.float32)
    expect_tensor(fused_linear_relu, x, W, b, gives=gives, cause="NaN stays NaN, -inf becomes 0")


check_fused_linear_relu_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_fused_linear_relu_hidden_errors", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of fused_linear_relu: shapes that do not fit.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_fused_linear_relu_errors():
    x, W = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)
    cause = "one bias per column of W, nothing is broadcast"
    for bias in (np.ones(3), np.ones(1), np.ones((1, 4)), np.ones(5), np.float32(1)):
        named = (str(np.shape(bias)),)
        expect_error(ValueError, fused_linear_relu, x, W, bias, mentions=named, cause=cause)
    cause = "shapes that do not fit must be refused before any work"
    for a, w in [(x, W.T), (x[0], W), (x, W[:, 0]), (x, W[None])]:
        shapes = str(a.shape), str(w.shape)
        expect_error(ValueError, fused_linear_relu, a, w, np.ones(4), mentions=shapes, cause=cause)


check_fused_linear_relu_errors()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_fused_linear_relu_hidden_mechanism", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of fused_linear_relu: Python lines run, for few and for many elements.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_fused_linear_relu_mechanism():
    rng = instances("fused_linear_relu mechanism")

    def make(n):
        side = round(n**0.5)
        return *rng.standard_normal((2, side, side)), np.ones(side)

    expect_no_loop(fused_linear_relu, make, lambda x, w, b: np.maximum(x @ w + b, 0))


check_fused_linear_relu_mechanism()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** A batch of 128 goes through a layer from 64 to 50,000: little arithmetic, a result of
# 25 MB. How many times faster than three passes of NumPy is the fused kernel, on one thread?

# %%
my_guess = None  # times faster than three passes


# %% tags=["ungraded"]
def peak_bytes(call):
    call()  # what is made once and kept, like room for packed panels, is not this call's
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def three_passes(x, W, b):
    return np.maximum(x @ W + b, 0)


for batch, n_in, n_out in [(128, 1024, 1024), (128, 64, 50_000)]:
    x, W, b = (rng.standard_normal(s, np.float32) for s in ((batch, n_in), (n_in, n_out), n_out))
    calls = {
        "three passes": partial(three_passes, x, W, b),
        "fused_linear_relu": partial(fused_linear_relu, x, W, b, 1),
    }
    memory = {name: peak_bytes(call) / 2**20 for name, call in calls.items()}
    guess = my_guess if n_in == 64 else None  # it is about the second layer
    bars(race(calls, rounds=7), f"{batch} x {n_in} x {n_out}", guess=guess)
    print("peak MiB:", {name: round(mib, 1) for name, mib in memory.items()})

# %% [markdown]
# In the first layer nearly all of the time is arithmetic, and fusing gains next to nothing. In the
# second the result is larger than any cache, and two of three passes over it are gone. The peak
# says the same in bytes: the temporaries were as large as the result.
#
# **Optimize.** Write the three passes with `out=` so that NumPy makes no temporary. How much of the
# difference was memory that had to be found, and how much was memory that had to be crossed?

# %% [markdown]
# ### sparse_matmul
#
# **What limits it.** Magnitude pruning set most weights to zero, and the dense product multiplies
# by them all the same. A kernel that skips them does a tenth of the arithmetic at 90 % pruned, but
# it has to read from where each remaining weight comes, and that place jumps.
#
# `to_sparse(W)` of the compression module keeps what is left, column by column: the values, the row
# of W that each comes from, and where every column begins.
#
# ```
#           W (4, 3)
#         0    5    0        indptr    0       2    3    5     column j: entries indptr[j] to
#         2    0    0        indices   1   3   0    2    3     indptr[j + 1]; the row of each,
#         0    0    7        values    2   4   5    7    1     and its value
#         4    0    1
# ```
#
# | | bytes, float32, 1,024 by 1,024 |
# |---|---|
# | dense | 4,194,304 |
# | 50 % pruned: 8 for each weight that is left, and 8 for each column | 4,202,504 |
# | 90 % pruned | 847,064 |
#
# Each output is a short dot product with places that jump, which no SIMD instruction reads at
# once. The batch is the way out: with A transposed, the numbers of all samples for one input lie
# side by side, and one weight multiplies a whole row of them.
#
# | helper | what it does |
# |---|---|
# | `sparse_operands(A, W)` | both operands, once their shapes fit; W stays sparse if it was |
# | `to_sparse(W)` | `.indptr`, `.indices`, `.values`, `.shape`; what is sparse already is returned as it is |
#
# **5 points**: main path 1, shapes 1, dtypes and inputs 1, errors 1, mechanism 1.


# %% nbgrader={"grade": false, "grade_id": "sparse_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def sparse_matmul(
    A: ArrayLike, W: "ArrayLike | SparseMatrix", num_workers: int | None = None
) -> Tensor:
    """A @ W without the multiplications by zero. About twenty lines.

    A: (batch, in). W: a pruned matrix (in, out), or what `to_sparse` made of it once. Returns a
    new Tensor (batch, out) of dtype `np.result_type(A, W.dtype)`. float32 and float64 are
    compiled. Shapes that do not fit: ValueError with both. num_workers (not graded): threads.

    >>> sparse_matmul([[1.0, 2.0]], [[0.0, 3.0], [4.0, 0.0]]).data
    array([[8., 3.]], dtype=float32)
    """
    ### BEGIN SOLUTION
    a, w = sparse_operands(A, W)
    workers = worker_count(num_workers, MOST_WORKERS)
    out = np.zeros((len(a), w.shape[1]), np.result_type(a.dtype, w.dtype))
    for piece in sparse_packing.weight_pieces(w):
        for i, slab in sparse_packing.row_slabs(a, piece.rows, out.dtype):
            if not sparse_packing.can_skip_zeros(
                slab, piece
            ):  # 0 * inf is NaN, and other dtypes go to NumPy
                sparse_packing.add_dense(slab, piece, out, i)
                continue
            useful = min(workers, max(1, sparse_packing.useful_workers(slab, piece)))
            run_pieces(
                _add_sparse, sparse_packing.kernel_pieces(slab, piece, out, i, useful), useful
            )
    return Tensor(out)


@compiled
def _add_sparse(a, begin, end, rows, values, base, out, i, j):
    """out[i:, j:] += a @ some columns; one weight times a row of the batch at a time."""
    panel = sparse_packing.packed_batch(
        a, out
    )  # a transposed: all samples of one input side by side
    sums = sparse_packing.aligned(32, panel.shape[1], out)
    for first in range(0, len(begin), 32):
        columns = min(32, len(begin) - first)
        for c in range(columns):
            row = zero_row(out)
            for q in range(begin[first + c], end[first + c]):
                row = add_scaled(row, values[q], panel, rows[q] - base)
            store_row(row, sums, c)
        sparse_packing.add_transposed(sums[:columns], out, i, j + first)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: a nudge</summary>
#
# Three loops: over the columns of W, over the entries of a column, over the samples. The innermost
# one is the one that should become SIMD: which array must lie how for that?
#
# </details>
# <details><summary>Hint 2: a plan</summary>
#
# `sparse_operands`, then `to_sparse(w)`. Unless `compilable(a, w.values)`, a dense product of `a`
# and `w.to_dense()` is right. Else a C-ordered copy of `a.T` and a result of shape (out, batch),
# both of the dtype of the result, zeros to begin with. The compiled function goes through the
# entries of each column and adds `value * at[row]` to the column's row of the result.
#
# </details>
# <details><summary>Hint 3: nearly the code</summary>
#
# In the compiled function: `for j in range(len(out)):`, `target = out[j]`, then
# `for q in range(indptr[j], indptr[j + 1]):`, `row, value = at[indices[q]], values[q]`, and
# `for i in range(len(row)): target[i] += value * row[i]`. Outside: `at =
# np.ascontiguousarray(a.T, dtype=dtype)`, and at the end a C-ordered copy of `out.T`.
#
# </details>


# %% nbgrader={"grade": true, "grade_id": "test_sparse_matmul", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@of_the_lesson
def check_sparse_matmul():
    rng = np.random.default_rng(8)
    W = rng.integers(-4, 5, (70, 45)).astype(np.float32)
    W[rng.random(W.shape) < 0.9] = 0
    W[:, 7] = 0
    A = rng.integers(-4, 5, (33, 70)).astype(np.float32)
    w = np.array([[0, 3], [4, 0]], dtype=np.float32)
    cause = "does column j take the entries from indptr[j] up to indptr[j + 1]?"
    gives = np.array([[8, 3]], dtype=np.float32)
    expect_tensor(sparse_matmul, np.float32([[1, 2]]), to_sparse(w), gives=gives, cause=cause)
    expect_tensor(sparse_matmul, Tensor(A), to_sparse(W), gives=A @ W, cause=cause)
    cause = "a W that is not sparse yet is welcome too: to_sparse makes it so"
    expect_tensor(sparse_matmul, A, Tensor(W), gives=A @ W, cause=cause)
    cause = "a batch of one sample"
    expect_tensor(sparse_matmul, A[:1], to_sparse(W), gives=A[:1] @ W, cause=cause)


check_sparse_matmul()


# %% nbgrader={"grade": true, "grade_id": "test_sparse_matmul_hidden_shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of sparse_matmul: much, little, all and nothing pruned; any shape; views.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_sparse_matmul_shapes():
    rng = instances("sparse_matmul shapes")
    sizes = [(1, 1, 1), (2, 3, 1), (3, 0, 2), (0, 3, 2), (3, 2, 0), (5, 40, 3), (33, 65, 34)]
    for number, (m, k, n) in enumerate([*sizes, (1, 500, 130), (130, 3, 500), (70, 300, 90)]):
        for kept in (0.1, (0.0, 0.5, 1.0)[number % 3]):
            A = rng.integers(-4, 5, (m, k)).astype(np.float32)
            W = (rng.integers(-4, 5, (k, n)) * (rng.random((k, n)) < kept)).astype(np.float32)
            W *= np.float32(2.0 ** -int(rng.integers(0, 40)))  # small weights are weights too
            cause = f"{kept:.0%} of the weights left: each times its row of A, into its column"
            for weights in (to_sparse(W), W):
                expect_values(sparse_matmul, A, weights, gives=A @ W, cause=cause)
    A, W = rng.integers(-4, 5, (20, 50)).astype(np.float32), np.eye(50, 30, dtype=np.float32)
    cause = "a reversed view is a matrix like any other"
    expect_values(sparse_matmul, A[:, ::-1], to_sparse(W), gives=A[:, ::-1] @ W, cause=cause)
    expect_values(sparse_matmul, A, W[::-1, ::-1], gives=A @ W[::-1, ::-1], cause=cause)


check_sparse_matmul_shapes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_sparse_matmul_hidden_dtypes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of sparse_matmul: dtypes, precision, inputs left alone.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_sparse_matmul_dtypes():
    rng = instances("sparse_matmul dtypes")
    f4, f8, i8 = np.float32, np.float64, np.int64
    for left, right in [(f4, f4), (f8, f8), (i8, i8), (f4, f8), (f8, f4)]:
        for m, k, n in [(2, 3, 2), (40, 60, 50)]:
            A, W = rng.integers(-4, 5, (m, k)).astype(left), rng.integers(-4, 5, (k, n))
            W = (W * (rng.random((k, n)) < 0.3)).astype(right)
            W[0] = rng.integers(1, 5, n)  # no column of zeros: what those do is asked elsewhere
            cause = f"{A.dtype} with {W.dtype} gives {np.result_type(A, W)}"
            expect_tensor(sparse_matmul, A, to_sparse(W), gives=A @ W, cause=cause)
            expect_unchanged(sparse_matmul, A, W)
    A, W = rng.standard_normal((20, 50)), rng.uniform(0.5, 1.5, (50, 30))
    W[1:][rng.random((49, 30)) < 0.8] = 0
    cause = "float64 in, float64 all the way"
    tolerance = {"rtol": 1e-9, "atol": 1e-9}
    expect_tensor(sparse_matmul, A, to_sparse(W), gives=A @ W, cause=cause, **tolerance)
    for m, k, n, dtype in [(4100, 2, 3, i8), (2, 5000, 3, f4)]:
        many, V = np.ones((m, k), dtype), rng.integers(1, 5, (k, n)).astype(dtype)
        cause = f"shapes {(m, k)} and {(k, n)}, {V.dtype}"
        expect_tensor(sparse_matmul, many, to_sparse(V), gives=many @ V, cause=cause)
    weights, before = to_sparse(W), to_sparse(W).to_dense()
    sparse_matmul(A, weights)
    same = np.array_equal(weights.to_dense(), before)
    assert same, "tried sparse_matmul(A, to_sparse(W)): the weights were changed: they are an input"


check_sparse_matmul_dtypes()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_sparse_matmul_hidden_errors", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of sparse_matmul: shapes that do not fit.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_sparse_matmul_errors():
    A, W = np.ones((2, 3), np.float32), np.ones((4, 5), np.float32)
    cause = "a compiled loop does not check its indices: check the shapes before it"
    for a, w in [(A, W), (A, to_sparse(W)), (A[0], W), (A[None], to_sparse(W)), (A, W[0])]:
        shapes = str(a.shape), str(w.shape)
        expect_error(ValueError, sparse_matmul, a, w, mentions=shapes, cause=cause)


check_sparse_matmul_errors()
### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "test_sparse_matmul_hidden_mechanism", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of sparse_matmul: Python lines run, for few and for many weights.
### BEGIN HIDDEN TESTS
@of_the_lesson
def check_sparse_matmul_mechanism():
    rng = instances("sparse_matmul mechanism")

    def make(n):
        side = round(n**0.5)
        return rng.standard_normal((8, side)), to_sparse(rng.uniform(0.5, 1.5, (side, side)))

    expect_no_loop(sparse_matmul, make, lambda x, w: x @ w.to_dense())


check_sparse_matmul_mechanism()
### END HIDDEN TESTS

# %% [markdown]
# **Guess.** A batch of 64, weights of 1,024 by 1,024. From which share of zeros on is your kernel
# faster than the dense product, on one thread?
#
# Three ways to throw the same share of weights away are measured: single weights wherever they are
# small, blocks of 32 by 32, and whole rows of W. For the last one no sparse kernel is needed: the
# rows that are left, and the columns of A that meet them, make a smaller dense product.

# %%
my_guess = None  # share of zeros, 0 to 1


# %% tags=["ungraded"]
n, blocks = 1024, 1024 // 32
A, W = (rng.standard_normal(shape, np.float32) for shape in ((64, n), (n, n)))
share = [0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98]
gains = {"single weights": [], "blocks of 32 by 32": [], "whole rows, dense": []}
for zeros in share:
    single = to_sparse(prune_magnitude(W, zeros))
    kept_blocks = np.kron(rng.random((blocks, blocks)) >= zeros, np.ones((32, 32), bool))
    in_blocks = to_sparse(W * kept_blocks)
    kept = np.sort(rng.permutation(n)[: round(n * (1 - zeros))])
    a, w = np.ascontiguousarray(A[:, kept]), W[kept]
    calls = {
        "dense": partial(np.matmul, A, W),
        "single weights": partial(sparse_matmul, A, single, 1),
        "blocks of 32 by 32": partial(sparse_matmul, A, in_blocks, 1),
        "whole rows, dense": partial(np.matmul, a, w),
    }
    assert np.allclose(sparse_matmul(A, single).data, A @ single.to_dense(), rtol=1e-3, atol=1e-3)
    seconds = {name: statistics.median(times) for name, times in race(calls, rounds=5).items()}
    for name, values in gains.items():
        values.append(seconds["dense"] / seconds[name])
above = [s for s, gain in zip(share, gains["single weights"], strict=True) if gain >= 1]
caption = f"Skipping single weights pays from {min(above):.0%} zeros on. " if above else ""
lines(
    {name: (share, values) for name, values in gains.items()},
    xlabel="share of zeros in W",
    ylabel="times faster than dense @",
    caption=caption + f"At 90 %: single {gains['single weights'][6]:.1f}, "
    f"blocks {gains['blocks of 32 by 32'][6]:.1f}, rows {gains['whole rows, dense'][6]:.1f} times.",
    guess=my_guess,
    log_x=False,
)

# %% [markdown]
# Blocks gain little over single weights here, though their places no longer jump: the kernel does
# not know that they are blocks, and reads an index for every weight as before. Structure pays
# where the kernel is built for it, and whole rows show by how much: what is left is dense, and
# BLAS runs on it at full speed. The price is paid in accuracy: it is easier to find a million
# single weights that do not matter than a thousand whole rows.
#
# **Optimize.** Set the batch to 1. What is left to vectorize, and where is the break-even now?

# %% [markdown]
# ### compiled_quantized_matmul: given
#
# `quantized_matmul` of step 6 lets BLAS multiply levels that are held in float32. Processors can
# multiply integers directly, and more of them at a time: an int16 takes half the room of a
# float32. One instruction (`vpmaddwd` on x86, `smull` and `addp` on ARM) multiplies two vectors of
# int16 and adds neighbouring products, so each int32 lane receives a sum of two. Newer processors
# take four int8 products a lane (`vpdpbusd`, `sdot`); the registers of this package use what the
# processor has.
#
# ```
# int16   a0  a1 | a2  a3 | ...      two levels of A, the same in every lane
#       * b0  b1 | c0  c1 | ...      two levels of column b, of column c, ...
# int32   a0*b0 + a1*b1 | a0*c0 + a1*c1 | ...   added to the lane's sum
# ```
#
# **When is it exact?** A level lies between -128 and 127, a product between -16,256 and 16,384 =
# 2^14, and a sum of K products within K * 2^14. An int32 holds every sum up to 2^31 - 1, whatever
# the order of the additions, so K may be up to (2^31 - 1) / 2^14, rounded down: 131,071. Half way,
# a sum of two products is at most 2^15: no lane of the instruction itself can overflow.
#
# Packing makes words of 32 bits, so that one word holds what a lane multiplies: two levels, or
# four. Read the kernel from the inside out.


# %% nbgrader={"grade": false, "grade_id": "given_compiled_quantized_matmul", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
@compiled
def _multiply_levels(a, b, excess, factors, out, place):
    """out = (sums - excess) * factors within place, for packed rows `a` and columns `b`."""
    top, bottom, left, right = place
    words = a.shape[1] // TALL
    sums = np.empty((TALL, WIDE), np.int32)
    for j in range(left, right, WIDE):
        for i in range(top, bottom, TALL):
            x, y = (i - top) * words, (j - left) * words
            tile = zero_sums()
            for p in range(words):
                tile = add_dots(tile, a, x + p * TALL, b, y + p * WIDE)
            store_sums(tile, sums)
            for r in range(min(TALL, bottom - i)):
                # An instruction that wants unsigned levels made the sums too large. Both numbers
                # have wrapped around at 2**32 by now, and so does their difference: it is right.
                row, extra, target = sums[r], excess[i - top + r], out[i + r, j:right]
                for c in range(min(WIDE, right - j)):
                    target[c] = np.int32(row[c] - extra) * factors[j + c]


# %% nbgrader={"grade": false, "grade_id": "given_compiled_quantized_matmul_call", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
def compiled_quantized_matmul(
    A: ArrayLike,
    B: ArrayLike,
    scale_A: float = 1.0,
    scale_B: ArrayLike = 1.0,
    num_workers: int | None = None,
) -> Tensor:
    """`quantized_matmul` in integer arithmetic: the same contract, the same result to the bit.

    num_workers: threads at most, by default as many as there are cores. Small products, sums of
    more than 131,071 terms, and all where Numba does not compile go to `quantized_matmul`.
    """
    a, b = matmul_operands(A, B)
    (m, k), n = a.shape, b.shape[1]
    scale_a = check_scale("scale_A", scale_A)
    scales_b = np.broadcast_to(check_scale("scale_B", scale_B, columns=n), n)
    workers = int8_packing.threads_for(m, k, n, num_workers)
    fit = COMPILING and k <= int8_packing.LONGEST_SUM
    if not fit or m * k * n <= int8_packing.WORTH_PACKING:
        return quantized_matmul(a, b, scale_A, scale_B)
    out = np.empty((m, n), np.float32)
    with np.errstate(all="ignore"):  # a scale beyond float64 is an infinity
        factors = scale_a * scales_b

    def multiply_rows(top: int, bottom: int, left: int, right: int) -> None:
        rows, excess = int8_packing.pack_rows(a[top:bottom], scale_a)
        _multiply_levels(rows, panel, excess, factors, out, (top, bottom, left, right))

    for left, right in pairwise(int8_packing.panel_cuts(k, n)):
        panel = int8_packing.empty_panel(k, right - left)
        shares = pairwise(int8_packing.column_cuts(left, right, workers))
        run_pieces(
            int8_packing.pack_columns,
            [(b[:, i:j], scales_b[i:j], panel[(i - left) // WIDE :]) for i, j in shares],
        )
        blocks = pairwise(int8_packing.row_cuts(m, k, workers))
        run_pieces(multiply_rows, [(i, j, left, right) for i, j in blocks], workers)
    return Tensor(out)


# %% [markdown]
# **Guess.** Two 1,024 by 1,024 matrices, one thread. How many times faster than float32 `@` is the
# integer kernel, if its inputs are int8 already?

# %%
my_guess = None  # times faster than float32 @


# %% tags=["ungraded"]
A, B = rng.standard_normal((2, 1024, 1024), dtype=np.float32)
qa, qb = quantize(A, 0.03), quantize(B, 0.03)
integer = partial(compiled_quantized_matmul, num_workers=1)
assert np.array_equal(integer(qa, qb).data, qa.astype(np.float64) @ qb.astype(np.float64))
times = race(
    {
        "float32 @": lambda: A @ B,
        "quantized_matmul, int8": lambda: quantized_matmul(qa, qb),
        "compiled, float32 inputs": lambda: integer(A, B, 0.03, 0.03),
        "compiled, int8 inputs": lambda: integer(qa, qb),
    },
    rounds=7,
)
product_title = "Product of two 1,024 by 1,024 matrices"
bars(times, product_title, guess=my_guess, about="compiled, int8 inputs")
print("packed instructions:", packed_instructions(_multiply_levels))

# %% [markdown]
# The list names the instruction that did the work. Beside it stand the additions to the sums,
# unless the instruction adds by itself, and the conversion to float32 at the end.
#
# **Optimize.** Run the cell with 400 by 400 matrices. Every call packs 2n² levels and does n³
# multiplications: which part grew more slowly? (Up to n = 256 packing does not pay at all, and the
# kernel hands over to `quantized_matmul`.)

# %% [markdown]
# ### A GPU without a GPU
#
# A GPU runs one small program, the kernel, as thousands of threads. They are grouped in blocks.
# A thread knows its place (`cuda.grid(2)`), reads and writes global memory, which is large and far
# away, and shares a small, near memory with the other threads of its block. `cuda.syncthreads()`
# is a barrier: no thread of the block goes on before all have come.
#
# `launch` runs such a kernel in plain Python, one thread at a time, and counts every access of
# every thread. The same source runs on a real GPU through `numba.cuda`, where one is present.


# %% tags=["ungraded"]
def naive_matmul(A, B, C):
    j, i = cuda.grid(2)  # one thread for each element of C
    if i < C.shape[0] and j < C.shape[1]:
        total = np.float32(0)
        for p in range(A.shape[1]):
            total += A[i, p] * B[p, j]
        C[i, j] = total


def count_accesses(kernel, n, tile):
    A, B = rng.integers(-4, 5, (2, n, n)).astype(np.float32)
    C = np.zeros((n, n), np.float32)
    blocks = -(-n // tile)
    counts = launch(kernel, (blocks, blocks), (tile, tile), A, B, C)
    wrong = np.argwhere(C != A @ B).tolist()
    assert not wrong, (
        f"{kernel.__name__}: {len(wrong)} of {C.size} elements are wrong, the first at {wrong[0]}, "
        f"{np.isnan(C).sum()} are NaN: was shared memory read before all threads had written it?"
    )
    return {name: counter.total() for name, counter in counts.items()}


counts = launch(naive_matmul, (1, 1), (2, 2), *np.ones((3, 2, 2), np.float32))
for (block, thread), reads in counts["global reads"].items():
    print(f"block {tuple(block)}, thread {tuple(thread)}: {reads} reads of global memory")

# %% [markdown]
# Each thread reads a row of A and a column of B, and its neighbours read the same ones again. If
# the block reads a tile of A and a tile of B into shared memory first, one element a thread, all
# of them can use it. In the next cell three lines are missing; a block has `TILE` by `TILE`
# threads, and n is a multiple of it. (Not graded.)

# %% nbgrader={"grade": false, "grade_id": "tiled_matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
TILE = 8


def tiled_matmul(A, B, C):
    a = cuda.shared.array((TILE, TILE), np.float32)
    b = cuda.shared.array((TILE, TILE), np.float32)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    j, i = cuda.grid(2)
    total = np.float32(0)
    for p in range(0, A.shape[1], TILE):
        # This thread's element of either tile; then wait until the tiles are complete.
        ### BEGIN SOLUTION
        a[y, x] = A[i, p + x]
        b[y, x] = B[p + y, j]
        cuda.syncthreads()
        ### END SOLUTION
        for q in range(TILE):
            total += a[y, q] * b[q, x]
        cuda.syncthreads()  # before anybody overwrites the tiles
    C[i, j] = total


# %% [markdown]
# <details><summary>Hint: the three lines</summary>
#
# Thread (x, y) fetches `A[i, p + x]` into `a[y, x]` and `B[p + y, j]` into `b[y, x]`, and then
# comes to the barrier.
#
# </details>
#
# **Guess.** How many times fewer reads of global memory does the tiled kernel need for n = 32?

# %%
my_guess = None  # times fewer reads of global memory


# %% tags=["ungraded"]
found = {kernel: count_accesses(kernel, 32, TILE) for kernel in (naive_matmul, tiled_matmul)}
print(f"{'':<14}" + "".join(f"{name:>15}" for name in found[naive_matmul]))
for kernel, counts in found.items():
    print(f"{kernel.__name__:<14}" + "".join(f"{count:>15,}" for count in counts.values()))
fewer = found[naive_matmul]["global reads"] / found[tiled_matmul]["global reads"]
print(f"{fewer:g} times fewer reads of global memory.{you_guessed(my_guess)}")
A, B, C = (np.ones((32, 32), np.float32) for _ in "ABC")
on_gpu = launch_on_gpu(tiled_matmul, (32 // TILE, 32 // TILE), (TILE, TILE), A, B, C)
print(
    "The same kernel ran on this machine's GPU." if on_gpu else "No GPU here: counted, not timed."
)
assert not on_gpu or np.array_equal(C, A @ B)

# %% [markdown]
# The reads have not gone: they are reads of shared memory now, which is near. It is the
# bookkeeping of `cache_friendly_matmul`, except that on a GPU the kernel itself says what stays.
#
# **Optimize.** Predict the counts for `TILE = 16`, then change it. Remove the first barrier: the
# result is wrong, and here it is the same wrong result every time. On a GPU it would not be.

# %% [markdown]
# ### All kernels under the roofs
#
# The two numbers of your machine, drawn as roofs: no kernel can be above them. What moves along the
# lower axis is the number of operations that a kernel does for each byte it has to move.
#
# **Guess.** At how many operations per byte does the arithmetic become the limit, not the memory?

# %%
my_guess = None  # operations per byte


# %% tags=["ungraded"]
roofline = measure_roofline(globals())
draw_roofline(roofline, guess=my_guess)
print(roofline.byte_models())

# %% [markdown]
# Left of the bend only fewer bytes help, right of it only more operations at a time. Far below both
# look for the interpreter, the calls, and memory that is new.


# %% tags=["ungraded"]
def test_expert_kernels():
    check_compiled_relu()
    check_compiled_matmul()
    check_fused_linear_relu()
    check_sparse_matmul()
    print("Expert part: the visible tests pass.")


test_expert_kernels()

# %% [markdown]
# ## Your ladder of speed
#
# Tables of this kind are often quoted: loops one, arrays ten, tuned kernels a hundred. This one is
# yours, measured with your kernels on your machine.
#
# **Guess.** How many times faster than three Python loops is the fastest product?

# %%
my_guess = None  # times faster than the Python loops


# %% tags=["ungraded"]
draw_ladder(measure_ladder(globals()), guess=my_guess)

# %% [markdown]
# Which step was the largest, and did it change the arithmetic, or what surrounds it?

# %% [markdown]
# ## Final comparison
#
# Every kernel beside what NumPy alone would do, measured by your own profiler. It compares; it
# does not grade.


# %% tags=["ungraded"]
def final_performance_test():
    A, B = rng.standard_normal((2, 384, 384), dtype=np.float32)
    x, y = rng.standard_normal((2, 1_000_000), dtype=np.float32)
    q = quantize(x, 0.03)
    batch = list(x.reshape(8, -1))
    pairs = {
        "matmul_baseline": (lambda: matmul_baseline(A, B), lambda: A @ B),
        "vectorized_relu": (lambda: vectorized_relu(x), lambda: np.maximum(x, 0)),
        "vectorized_operations": (
            lambda: vectorized_operations(x, y),
            lambda: (x * y, x + y, (x - y) ** 2),
        ),
        "cache_friendly_matmul": (lambda: cache_friendly_matmul(A, B, 64), lambda: A @ B),
        "parallel_relu": (lambda: parallel_relu(x, 2), lambda: np.maximum(x, 0)),
        "parallel_batch_processing": (
            lambda: parallel_batch_processing(batch, np.exp, 2),
            lambda: [np.exp(item) for item in batch],
        ),
        "quantized_matmul": (lambda: quantized_matmul(A, B, 0.03, 0.03), lambda: A @ B),
        "quantized_relu": (lambda: quantized_relu(q, 0.03), lambda: np.maximum(x, 0)),
    }
    W, b = np.where(abs(B) > 1.6, B, np.float32(0)), B[0]  # about 90 % pruned
    sparse = to_sparse(W)
    qa, qb = quantize(A, 0.03), quantize(B, 0.03)
    pairs |= {
        "compiled_relu": (lambda: compiled_relu(x), lambda: np.maximum(x, 0)),
        "compiled_matmul": (lambda: compiled_matmul(A, B), lambda: A @ B),
        "fused_linear_relu": (
            lambda: fused_linear_relu(A, B, b),
            lambda: np.maximum(A @ B + b, 0),
        ),
        "sparse_matmul": (lambda: sparse_matmul(A, sparse), lambda: A @ W),
        "compiled_quantized_matmul": (lambda: compiled_quantized_matmul(qa, qb), lambda: A @ B),
    }
    profiler = SimpleProfiler()
    print(f"{'kernel':<27}{'median':>10}{'NumPy':>10}{'ratio':>8}{'peak memory':>14}")
    for name, (kernel, numpy_way) in pairs.items():
        try:
            ours, theirs = (profiler.profile(fn)[1] for fn in (kernel, numpy_way))
        except NotImplementedError as not_written:
            print(f"{name:<27}  {not_written}")
            continue
        print(
            f"{name:<27}{ours['wall_time'] * 1e6:>7.0f} us{theirs['wall_time'] * 1e6:>7.0f} us"
            f"{theirs['wall_time'] / ours['wall_time']:>8.2f}{ours['peak_memory']:>12,} B"
        )
    print("ratio: NumPy's time divided by the kernel's; above 1 the kernel is faster.")


final_performance_test()

# %% [markdown]
# **What comes next.** Benchmarking makes of such a table something that can be trusted: many
# sizes, interleaved runs, distributions. MLOps asks what happens to the numbers once the model
# serves real users. Both begin with the habit of this notebook: a guess, a measurement, a picture,
# and one sentence on what limits it.
